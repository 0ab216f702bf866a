//! To come.
pub(crate) async fn start() -> &'static str {
    ""
}
pub(crate) async fn show_bind() -> &'static str {
    ""
}
pub(crate) async fn bind() -> &'static str {
    ""
}
pub(crate) async fn show_unbind() -> &'static str {
    ""
}
pub(crate) async fn unbind() -> &'static str {
    ""
}
