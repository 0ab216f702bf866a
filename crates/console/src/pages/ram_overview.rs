//! To come.
pub(crate) async fn show() -> &'static str {
    ""
}
