use super::layer::KEYS;
use super::*;
use secrecy::ExposeSecret as _;

fn toml(text: &str) -> Result<Layer, ConfigError> {
    Layer::from_toml(text, "countersign.toml")
}

fn environment(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn settings(text: &str) -> Settings {
    Settings::from_layer(toml(text).unwrap()).unwrap()
}

fn sample(key: &str) -> (&'static str, &'static str) {
    match key {
        "listen" | "api_listen" | "ops_listen" => ("\"127.0.0.1:1\"", "127.0.0.1:1"),
        "public_url" => ("\"https://x.example\"", "https://x.example"),
        "trusted_proxy_hops" | "hash_memory_mib" => ("64", "64"),
        "danger_insecure_http" | "danger_strand_keys" | "mail_danger_insecure" => ("true", "true"),
        "log_format" => ("\"json\"", "json"),
        _ => ("\"x\"", "x"),
    }
}

#[test]
fn nothing_has_to_be_configured() {
    let settings = settings("");
    assert_eq!(settings.data, Path::new("./data"));
    assert_eq!(settings.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(settings.api_listen.to_string(), "127.0.0.1:8081");
    assert_eq!(settings.ops_listen.to_string(), "127.0.0.1:8082");
    assert_eq!(settings.public_url_at(8080).to_string(), "http://localhost:8080");
    assert_eq!((settings.suffix.as_str(), settings.issuer.as_str()), ("countersign.local", "Countersign"));
    assert_eq!((settings.hash_memory_mib, settings.trusted_proxy_hops), (128, 0));
    settings.check_serving().unwrap();
    assert!(settings.doubts().is_empty());
}

#[test]
fn every_key_is_known_to_the_file_and_to_the_environment() {
    for (key, _) in KEYS {
        let (in_file, in_environment) = sample(key);
        let name = format!("COUNTERSIGN_{}", key.to_ascii_uppercase());
        let file = toml(&format!("{key} = {in_file}")).unwrap();
        let variable = Layer::from_environment(environment(&[(&name, in_environment)])).unwrap();
        assert_eq!(format!("{file:?}"), format!("{variable:?}"));
        assert_ne!(format!("{file:?}"), format!("{:?}", Layer::default()), "{key} is dropped");
        let merged = Layer::default().over(file.clone()).over(Layer::default());
        assert_eq!(format!("{merged:?}"), format!("{file:?}"), "{key} is lost when layers are merged");
    }
    let fields = format!("{:?}", Layer::default()).matches(": None").count();
    assert_eq!(fields, KEYS.len(), "a field has no key");
}

#[test]
fn mail_is_a_section_of_the_file() {
    let text = "[mail]\nfrom = 'Countersign <c@x.example>'\nsmtp = 'smtps://u:hush@x.example'\nca = 'ca.pem'";
    let mail = settings(text).mail.unwrap();
    assert_eq!((mail.from.email.to_string().as_str(), mail.server.port), ("c@x.example", 465));
    assert!(!format!("{mail:?}").contains("hush"));
    let error = toml("[mail]\nform = 'x'").unwrap_err().to_string();
    assert_eq!(error, "countersign.toml sets mail_form, which is not known. Did you mean mail_from?");
    assert!(settings("").mail.is_none());
    let plain = "[mail]\nfrom = 'c@x.example'\nsmtp = 'smtp://x.example'\ndanger_insecure = true";
    assert_eq!(settings(plain).doubts().len(), 1);
}

#[test]
fn flags_override_the_environment_which_overrides_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("c.toml");
    std::fs::write(&config, "issuer = 'file'\nsuffix = 'file.example'\nlog = 'warn'").unwrap();
    let environment =
        environment(&[("COUNTERSIGN_ISSUER", "environment"), ("COUNTERSIGN_SUFFIX", "env.example"), ("HOME", "/")]);
    let flags = Layer { issuer: Some("flag".into()), ..Layer::default() };
    let settings = Settings::load(Sources { config: Some(config), flags, environment }).unwrap();
    assert_eq!(settings.issuer, "flag");
    assert_eq!(settings.suffix, "env.example");
    assert_eq!(settings.log.as_deref(), Some("warn"));
}

#[test]
fn the_file_in_the_data_folder_is_found_and_the_one_named_goes_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let (inside, named) = (folder.path().join("countersign.toml"), folder.path().join("other.toml"));
    std::fs::write(&inside, "issuer = 'inside'").unwrap();
    std::fs::write(&named, "issuer = 'named'").unwrap();
    let data = folder.path().to_str().unwrap();
    let issuer = |variables: &[(&str, &str)]| {
        Settings::load(Sources { environment: environment(variables), ..Sources::default() }).map(|found| found.issuer)
    };
    assert_eq!(issuer(&[("COUNTERSIGN_DATA", data)]).unwrap(), "inside");
    let named = named.to_str().unwrap();
    assert_eq!(issuer(&[("COUNTERSIGN_DATA", data), ("COUNTERSIGN_CONFIG", named)]).unwrap(), "named");
    assert!(issuer(&[("COUNTERSIGN_CONFIG", "/nowhere.toml")]).unwrap_err().to_string().contains("/nowhere.toml"));

    std::fs::write(&inside, "data = 'elsewhere'").unwrap();
    assert!(issuer(&[("COUNTERSIGN_DATA", data)]).unwrap_err().to_string().contains("take `data` out"));
}

#[test]
fn an_unknown_key_is_an_error_that_names_the_nearest() {
    for (text, nearest) in [
        ("listn = 'x'", "listen"),
        ("trusted_proxies = 1", "trusted_proxy_hops"),
        ("public-url = 'x'", "public_url"),
        ("tls_certificate = 'x'", "tls_cert"),
        ("hash_memory = 1", "hash_memory_mib"),
        ("[database]\nurl = 'x'\n[log_formats]", "log_format"),
    ] {
        let error = toml(text).unwrap_err().to_string();
        let expected = format!("Did you mean {nearest}?");
        assert!(error.contains(&expected) || text.starts_with('['), "{error}");
    }
    let error = Layer::from_environment(environment(&[("COUNTERSIGN_LISTN", "x")])).unwrap_err().to_string();
    assert_eq!(error, "the environment sets COUNTERSIGN_LISTN, which is not known. Did you mean COUNTERSIGN_LISTEN?");
}

#[test]
fn a_value_that_cannot_be_used_is_named_with_its_place_and_never_quoted() {
    for text in ["listen = '8080'", "trusted_proxy_hops = -1", "danger_insecure_http = 'yes'", "log_format = 'xml'"] {
        let key = text.split(' ').next().unwrap();
        let error = toml(text).unwrap_err().to_string();
        assert!(error.starts_with(&format!("countersign.toml: {key} cannot be used: ")), "{error}");
    }
    let error = Layer::from_environment(environment(&[("COUNTERSIGN_TRUSTED_PROXY_HOPS", "one")])).unwrap_err();
    assert!(error.to_string().contains("COUNTERSIGN_TRUSTED_PROXY_HOPS"), "{error}");

    let broken = toml("issuer = 'x'\ndatabase = 'postgres://c:hush@h/c\n").unwrap_err().to_string();
    assert!(broken.starts_with("countersign.toml, line 2: ") && !broken.contains("hush"), "{broken}");
    let secret = toml("database = 'postgres://c:hush@h/c'").unwrap();
    assert!(!format!("{secret:?}").contains("hush"));
    assert!(secret.database.unwrap().expose_secret().contains("hush"));
}

#[test]
fn an_empty_variable_says_nothing() {
    let layer = Layer::from_environment(environment(&[("COUNTERSIGN_DATABASE", "")])).unwrap();
    assert!(layer.database.is_none());
}

#[test]
fn plain_http_beyond_this_machine_is_refused_with_the_three_ways_out() {
    let refusal = settings("listen = '0.0.0.0:8080'").check_serving().unwrap_err().to_string();
    for way in ["--tls-cert", "--trusted-proxy-hops", "--danger-insecure-http"] {
        assert!(refusal.contains(way), "{refusal}");
    }
    for way in ["tls_cert = 'c'\ntls_key = 'k'", "trusted_proxy_hops = 1", "danger_insecure_http = true"] {
        settings(&format!("listen = '[::]:8080'\n{way}")).check_serving().unwrap();
    }
    settings("listen = '[::1]:8080'").check_serving().unwrap();
}

#[test]
fn the_public_url_is_https_beyond_localhost() {
    let judged = |text: &str| settings(text).check_serving().map_err(|error| error.to_string());
    assert!(judged("public_url = 'http://logon.example.com'").unwrap_err().contains("has to be https"));
    assert!(judged("public_url = 'http://127.0.0.1:8080'").unwrap_err().contains("has to be https"));
    assert!(judged("public_url = 'http://localhost:8080'\ntls_cert = 'c'\ntls_key = 'k'").is_err());
    judged("public_url = 'http://localhost:9000'").unwrap();
    judged("public_url = 'https://logon.example.com'").unwrap();
    judged("public_url = 'http://logon.example.com'\ndanger_insecure_http = true").unwrap();
    let url = settings("tls_cert = 'c'\ntls_key = 'k'").public_url_at(8443);
    assert_eq!(url.to_string(), "https://localhost:8443");
}

#[test]
fn what_is_hardly_meant_is_doubted() {
    assert_eq!(settings("danger_insecure_http = true\nlisten = '0.0.0.0:80'").doubts().len(), 2);
    assert_eq!(settings("public_url = 'https://logon.example.com'").doubts().len(), 1);
    assert!(settings("public_url = 'https://logon.example.com'\ntrusted_proxy_hops = 1").doubts().is_empty());
}

#[test]
fn names_and_amounts_keep_to_their_limits() {
    for bad in [
        "suffix = ''",
        "suffix = 'a..b'",
        "suffix = '-a.b'",
        "suffix = 'a b'",
        "issuer = ''",
        "issuer = 'a:b'",
        "hash_memory_mib = 19",
        "tls_cert = 'c'",
        "tls_key = 'k'",
    ] {
        assert!(Settings::from_layer(toml(bad).unwrap()).is_err(), "{bad}");
    }
    assert_eq!(settings("suffix = 'Corp.Example'").suffix, "corp.example");
}
