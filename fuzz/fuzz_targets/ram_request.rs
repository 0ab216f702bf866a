//! Reads any bytes as a request of the RAM protocol: a query up to the first line break, a form behind it. What is read has
//! one canonical form, which is read again as the same.

#![no_main]

use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use countersign_ram_api::request::Request;
use countersign_ram_api::signature::{canonical, v1};
use libfuzzer_sys::fuzz_target;

fn canonical_of(request: &Request) -> String {
    canonical::query(request.all())
}

fuzz_target!(|bytes: &[u8]| {
    let split = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (query, form) = (&bytes[..split], bytes.get(split + 1..).unwrap_or_default());
    let Ok(query) = std::str::from_utf8(query) else { return };
    let Ok(uri) = format!("/?{query}").parse::<Uri>() else { return };
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-www-form-urlencoded"));
    let Ok(request) = Request::decode(&Method::POST, &uri, headers.clone(), form) else { return };
    let canonical = canonical_of(&request);
    let again = Request::decode(&Method::POST, &Uri::from_static("/"), headers, canonical.as_bytes());
    let again = again.expect("a canonical form is well-formed");
    assert_eq!(canonical_of(&again), canonical);
    assert!(request.all().eq(again.all()));
    assert_eq!(v1::string_to_sign("POST", request.all()), v1::string_to_sign("POST", again.all()));
    let _ = (request.list("VerificationTypes"), request.boolean("MFABindRequired"), request.number::<u8>("MaxItems"));
});
