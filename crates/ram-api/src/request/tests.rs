use super::*;
use proptest::prelude::*;

fn get(query: &str) -> Result<Request, ApiError> {
    Request::decode(&Method::GET, &format!("/?{query}").parse().unwrap(), HeaderMap::new(), b"")
}

fn post(query: &str, kind: &str, body: &str) -> Result<Request, ApiError> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
    Request::decode(&Method::POST, &format!("/?{query}").parse().unwrap(), headers, body.as_bytes())
}

const FORM: &str = "application/x-www-form-urlencoded; charset=utf-8";

fn code(result: Result<Request, ApiError>) -> String {
    result.unwrap_err().code().to_owned()
}

#[test]
fn query_and_form_are_one() {
    let request = post("Action=GetUser&Format=JSON", FORM, "UserName=a+b&Comments=%E4%B8%AD").unwrap();
    assert_eq!(request.text("UserName"), Some("a b"));
    assert_eq!(request.text("Comments"), Some("中"));
    assert_eq!(request.text("Action"), Some("GetUser"));
    let names: Vec<&str> = request.all().map(|(name, _)| name).collect();
    assert_eq!(names, ["Action", "Comments", "Format", "UserName"]);
    let names: Vec<&str> = request.query().map(|(name, _)| name).collect();
    assert_eq!(names, ["Action", "Format"]);
}

#[test]
fn attack_013_a_repeated_parameter_is_refused_wherever_it_stands() {
    assert_eq!(code(get("UserName=a&UserName=b")), "InvalidParameter");
    assert_eq!(code(get("UserName=a&UserNam%65=a")), "InvalidParameter");
    assert_eq!(code(post("UserName=a", FORM, "UserName=b")), "InvalidParameter");
}

#[test]
fn attack_132_parameters_have_limits() {
    let many = |count: usize| (0..count).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
    assert!(get(&many(MOST_PARAMETERS)).is_ok());
    assert_eq!(code(get(&many(MOST_PARAMETERS + 1))), "InvalidParameter");
    assert_eq!(code(get(&format!("{}=1", "n".repeat(LONGEST_NAME + 1)))), "InvalidParameter");
    let long = "v".repeat(LONGEST_VALUE + 1);
    assert_eq!(code(post("", FORM, &format!("v={long}"))), "InvalidParameter");
    let deep = format!("VerificationTypes={}", "%5B".repeat(5_000));
    assert_eq!(get(&deep).unwrap().list("VerificationTypes").unwrap_err().code(), "InvalidParameter.VerificationTypes");
}

#[test]
fn attack_013_strange_bodies_and_methods_are_refused() {
    assert_eq!(code(post("", "application/json", "{}")), "InvalidParameter");
    assert_eq!(code(post("", "multipart/form-data", "x")), "InvalidParameter");
    assert!(post("", "application/json", "").is_ok(), "an empty body has no kind");
    assert_eq!(code(post("", FORM, "a=%ff")), "InvalidParameter");
    assert_eq!(code(get("a=%zz")), "InvalidParameter");
    for method in [Method::PUT, Method::DELETE, Method::HEAD, Method::OPTIONS] {
        let decoded = Request::decode(&method, &"/".parse().unwrap(), HeaderMap::new(), b"");
        assert_eq!(code(decoded), "UnsupportedHTTPMethod");
    }
    let body_of_get = Request::decode(&Method::GET, &"/".parse().unwrap(), HeaderMap::new(), b"a=b");
    assert_eq!(code(body_of_get), "InvalidParameter");
    let elsewhere = Request::decode(&Method::GET, &"/users".parse().unwrap(), HeaderMap::new(), b"");
    assert_eq!(code(elsewhere), "InvalidAction.NotFound");
}

#[test]
fn both_encodings_of_a_list_are_read() {
    let list = |query: &str| get(query).unwrap().list("VerificationTypes");
    let both = Some(vec!["sms".to_owned(), "email".to_owned()]);
    assert_eq!(list("VerificationTypes=%5B%22sms%22,%22email%22%5D").unwrap(), both);
    assert_eq!(list("VerificationTypes.1=sms&VerificationTypes.2=email").unwrap(), both);
    assert_eq!(list("VerificationTypes=%5B%5D").unwrap(), Some(Vec::new()));
    assert_eq!(list("VerificationTypes=").unwrap(), Some(Vec::new()));
    assert_eq!(list("").unwrap(), None);
    for bad in ["VerificationTypes=sms", "VerificationTypes=%5B1%5D", "VerificationTypes=%5B%5D&VerificationTypes.1=a"]
    {
        assert!(list(bad).is_err(), "{bad}");
    }
}

#[test]
fn booleans_and_numbers_are_read_as_the_clients_write_them() {
    let request = get("a=True&b=false&c=FALSE&d=&e=yes&f=12&g=-1&h=1.0&i=12345678901").unwrap();
    assert_eq!(request.boolean("a").unwrap(), Some(true));
    assert_eq!(request.boolean("b").unwrap(), Some(false));
    assert_eq!(request.boolean("c").unwrap(), Some(false));
    assert_eq!(request.boolean("d").unwrap(), None);
    assert_eq!(request.boolean("x").unwrap(), None);
    assert_eq!(request.boolean("e").unwrap_err().code(), "InvalidParameter.e");
    assert_eq!(request.number::<u8>("f").unwrap(), Some(12));
    for name in ["g", "h", "i", "a"] {
        assert!(request.number::<u32>(name).is_err(), "{name}");
    }
}

#[test]
fn an_answer_is_json_or_xml() {
    assert_eq!(get("Format=json").unwrap().format().unwrap(), Format::Json);
    assert_eq!(get("Format=Xml").unwrap().format().unwrap(), Format::Xml);
    assert_eq!(get("").unwrap().format().unwrap(), Format::Xml, "version 1 that does not say");
    assert_eq!(get("Format=yaml").unwrap().format().unwrap_err().code(), "InvalidParameter.Format");
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, "ACS3-HMAC-SHA256 x".parse().unwrap());
    let request = Request::decode(&Method::GET, &"/".parse().unwrap(), headers, b"").unwrap();
    assert_eq!(request.format().unwrap(), Format::Json, "version 3 that does not say");
}

#[test]
fn passwords_are_not_printed() {
    let request = get("Password=hunter2").unwrap();
    assert!(!format!("{request:?}").contains("hunter2"));
}

proptest! {
    #[test]
    fn no_request_breaks_the_decoder(query in "[ -~]{0,60}", body in ".{0,60}") {
        if let Ok(uri) = format!("/?{query}").parse::<Uri>() {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/x-www-form-urlencoded"));
            if let Ok(request) = Request::decode(&Method::POST, &uri, headers, body.as_bytes()) {
                let _ = (request.format(), request.list("a"), request.boolean("a"), request.number::<u8>("a"));
            }
        }
    }
}
