//! To come.
pub(crate) async fn show() -> &'static str {
    ""
}
pub(crate) async fn create() -> &'static str {
    ""
}
