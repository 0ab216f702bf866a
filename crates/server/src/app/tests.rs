use super::*;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::{get, post};
use prometheus_client::registry::Registry;
use std::future::pending;
use tower::ServiceExt as _;

async fn show(request: Request) -> String {
    request.uri().to_string()
}

async fn swallow(body: String) -> String {
    body.len().to_string()
}

/// Pages of a test's own behind the layers of the real ones, and what was counted.
fn pages_at(url: &str) -> (Router, Registry) {
    let mut registry = Registry::default();
    let pages = Router::new()
        .route("/shown/{name}", get(show))
        .route("/swallowed", post(swallow))
        .route("/panics", get(async || -> &'static str { panic!("with a secret") }))
        .route("/never", get(async || pending::<&'static str>().await));
    let log = RequestLog::new(HttpMetrics::new(&mut registry), 1);
    (layered(pages, url.parse().unwrap(), log, Duration::from_millis(200)), registry)
}

async fn ask(pages: &Router, request: Request) -> (StatusCode, Response) {
    let response = pages.clone().oneshot(request).await.unwrap();
    (response.status(), response)
}

async fn get_from(url: &str, host: &str, target: &str) -> (StatusCode, Response) {
    let request = Request::get(target).header(header::HOST, host).body(Body::empty()).unwrap();
    ask(&pages_at(url).0, request).await
}

fn header_of(response: &Response, name: header::HeaderName) -> Option<&str> {
    response.headers().get(name).map(|value| value.to_str().unwrap())
}

#[tokio::test]
async fn attack_126_an_unknown_host_is_misdirected() {
    for host in ["evil.example", "localhost:8081", "localhost:8080.evil.example", "192.0.2.1:8080"] {
        let (status, _) = get_from("http://localhost:8080", host, "/shown/x").await;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST, "{host}");
    }
    let (status, _) = get_from("http://localhost:8080", "localhost:8080", "/shown/x").await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn attack_126_an_absolute_target_names_the_host_and_must_agree_with_the_header() {
    let url = "http://localhost:8080";
    for (target, host, expected) in [
        ("http://localhost:8080/shown/x", "localhost:8080", StatusCode::OK),
        ("http://evil.example/shown/x", "evil.example", StatusCode::MISDIRECTED_REQUEST),
        ("http://evil.example/shown/x", "localhost:8080", StatusCode::BAD_REQUEST),
        ("http://localhost:8080/shown/x", "evil.example", StatusCode::BAD_REQUEST),
        ("http://user@localhost:8080/shown/x", "user@localhost:8080", StatusCode::MISDIRECTED_REQUEST),
    ] {
        assert_eq!(get_from(url, host, target).await.0, expected, "{target} {host}");
    }
}

#[tokio::test]
async fn attack_126_no_host_and_two_hosts_are_bad_requests() {
    let (pages, _) = pages_at("http://localhost:8080");
    let none = Request::get("/shown/x").body(Body::empty()).unwrap();
    assert_eq!(ask(&pages, none).await.0, StatusCode::BAD_REQUEST);
    let two = Request::get("/shown/x").header(header::HOST, "localhost:8080").header(header::HOST, "localhost:8080");
    assert_eq!(ask(&pages, two.body(Body::empty()).unwrap()).await.0, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_loopback_address_is_sent_to_localhost_when_it_only_looks() {
    let (status, response) = get_from("http://localhost:8080", "127.0.0.1:8080", "/shown/x?a=b").await;
    assert_eq!(status, StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(header_of(&response, header::LOCATION), Some("http://localhost:8080/shown/x?a=b"));

    let (_, response) = get_from("http://localhost:8080", "[::1]:8080", "//evil.example/x").await;
    assert_eq!(header_of(&response, header::LOCATION), Some("http://localhost:8080//evil.example/x"));

    let post = Request::post("/swallowed").header(header::HOST, "127.0.0.1:8080").body(Body::from("x")).unwrap();
    assert_eq!(ask(&pages_at("http://localhost:8080").0, post).await.0, StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn attack_132_a_body_has_64_kib_at_most() {
    let (pages, _) = pages_at("http://localhost:8080");
    let post = async |body: Body| {
        let request = Request::post("/swallowed").header(header::HOST, "localhost:8080").body(body).unwrap();
        ask(&pages, request).await.0
    };
    assert_eq!(post(Body::from("x".repeat(BODY_LIMIT))).await, StatusCode::OK);
    assert_eq!(post(Body::from("x".repeat(BODY_LIMIT + 1))).await, StatusCode::PAYLOAD_TOO_LARGE);
    let announced = Request::post("/swallowed").header(header::HOST, "localhost:8080");
    let announced = announced.header(header::CONTENT_LENGTH, "10485760").body(Body::empty()).unwrap();
    assert_eq!(ask(&pages, announced).await.0, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn attack_132_a_request_that_does_not_end_is_given_up() {
    let (status, _) = get_from("http://localhost:8080", "localhost:8080", "/never").await;
    assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
}

#[tokio::test]
async fn a_panic_is_a_plain_500_without_its_message() {
    let (status, response) = get_from("http://localhost:8080", "localhost:8080", "/panics").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let body = axum::body::to_bytes(response.into_body(), BODY_LIMIT).await.unwrap();
    assert!(!String::from_utf8_lossy(&body).contains("secret"));
}

#[tokio::test]
async fn hsts_goes_with_https_beyond_localhost() {
    for (url, host, expected) in [
        ("https://logon.example.com", "logon.example.com", Some("max-age=31536000")),
        ("https://localhost:8443", "localhost:8443", None),
        ("http://localhost:8080", "localhost:8080", None),
    ] {
        let (_, response) = get_from(url, host, "/shown/x").await;
        assert_eq!(header_of(&response, header::STRICT_TRANSPORT_SECURITY), expected, "{url}");
    }
}

#[tokio::test]
async fn requests_are_counted_by_route_and_never_by_what_was_typed() {
    let (pages, registry) = pages_at("http://localhost:8080");
    for target in ["/shown/alice?token=hush", "/shown/bob", "/no/such/page"] {
        let request = Request::get(target).header(header::HOST, "localhost:8080").body(Body::empty()).unwrap();
        let (_, response) = ask(&pages, request).await;
        assert!(response.headers().contains_key("x-request-id"));
    }
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    assert!(text.contains(r#"http_requests_total{method="GET",route="/shown/{name}",status="200"} 2"#), "{text}");
    assert!(text.contains(r#"route="(none)",status="404"} 1"#), "{text}");
    assert!(!text.contains("alice") && !text.contains("hush") && !text.contains("such"), "{text}");
}

/// A door of a test's own behind the layers of the real one.
async fn api_answers(kit: &countersign_testkit::Kit, request: Request) -> (StatusCode, String) {
    let door = Router::new()
        .route("/swallowed", post(swallow))
        .route("/panics", get(async || -> &'static str { panic!("with a secret") }))
        .route("/never", get(async || pending::<&'static str>().await));
    let log = RequestLog::new(HttpMetrics::new(&mut Registry::default()), 1);
    let door = layered_api(door, kit.core().clone(), log, Duration::from_millis(200));
    let (status, response) = ask(&door, request).await;
    assert!(response.headers().contains_key("x-acs-request-id"));
    let body = axum::body::to_bytes(response.into_body(), BODY_LIMIT).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

#[tokio::test]
async fn what_the_layers_of_the_api_refuse_is_told_as_the_door_tells_it() {
    let kit = countersign_testkit::Kit::start(countersign_testkit::Engine::Sqlite).await;
    let long = Request::post("/swallowed?Format=JSON").header(header::CONTENT_LENGTH, "10485760");
    for (request, status, code) in [
        (long.body(Body::empty()), StatusCode::PAYLOAD_TOO_LARGE, "InvalidParameter"),
        (Request::get("/never?Format=JSON").body(Body::empty()), StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
        (Request::get("/panics?Format=JSON").body(Body::empty()), StatusCode::INTERNAL_SERVER_ERROR, "InternalError"),
    ] {
        let (found, body) = api_answers(&kit, request.unwrap()).await;
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!((found, &json["Code"]), (status, &code.into()));
        assert!(json["RequestId"].is_string() && json["HostId"].is_string() && json["Message"].is_string(), "{body}");
        assert!(!body.contains("secret"));
    }
}
