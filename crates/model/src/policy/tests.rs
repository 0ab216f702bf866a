//! The language as a whole.

use super::*;
use proptest::prelude::*;

const UID: &str = "1234567890123456";

fn arn(name: &str) -> Pattern {
    Pattern::new(&format!("acs:ram::{UID}:{name}"))
}

fn read(text: &str) -> PolicyDocument {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn statement(effect: &str, action: &str, resource: &str) -> String {
    format!(r#"{{"Effect":"{effect}","Action":"{action}","Resource":"{resource}"}}"#)
}

fn policy(statements: &[String]) -> PolicyDocument {
    read(&format!(r#"{{"Version":"1","Statement":[{}]}}"#, statements.join(",")))
}

fn decided(document: &PolicyDocument, action: &str, resource: &str, context: &Context) -> Decision {
    decide(document.statements(), &Pattern::new(action), &arn(resource), context)
}

fn problem(text: &str) -> (String, Problem) {
    let error = text.parse::<PolicyDocument>().expect_err(text);
    (error.at, error.problem)
}

#[test]
fn a_statement_allows_what_its_patterns_match_and_nothing_else() {
    let helpdesk = policy(&[
        statement("Allow", "ram:ListUsers", "*"),
        statement("Allow", "RAM:unbind*", &format!("acs:ram:*:{UID}:user/dev-*")),
        statement("Allow", "ram:GetUser", &format!("acs:ram::{UID}:user/dev-?")),
    ]);
    let context = Context::default();
    for (action, resource, allowed) in [
        ("ram:ListUsers", "user/*", true),
        ("ram:UnbindMFADevice", "user/dev-1", true),
        ("ram:UnbindMFADevice", "user/DEV-1", true),
        ("ram:UnbindMFADevice", "user/dev-", true),
        ("ram:UnbindMFADevice", "user/bob", false),
        ("ram:UnbindMFADevice", "user/*", false),
        ("ram:BindMFADevice", "user/dev-1", false),
        ("ram:GetUser", "user/dev-1", true),
        ("ram:GetUser", "user/dev-12", false),
        ("ram:GetUser", "user/dev-*", false),
        ("ims:ListUsers", "user/*", false),
        ("ram:ListUsersForGroup", "group/x", false),
    ] {
        let decision = decided(&helpdesk, action, resource, &context);
        assert_eq!(decision.is_allowed(), allowed, "{action} {resource}: {decision:?}");
    }
}

#[test]
fn deny_wins_wherever_it_stands_and_no_match_is_denied() {
    let (allow, deny) = (statement("Allow", "*", "*"), statement("Deny", "ram:Delete*", "*"));
    for statements in [[allow.clone(), deny.clone()], [deny.clone(), allow]] {
        let document = policy(&statements);
        assert_eq!(decided(&document, "ram:DeleteUser", "user/x", &Context::default()), Decision::Denied);
        assert_eq!(decided(&document, "ram:GetUser", "user/x", &Context::default()), Decision::Allowed);
    }
    assert_eq!(decided(&policy(&[deny]), "ram:GetUser", "user/x", &Context::default()), Decision::NotMentioned);
    assert_eq!(decide([], &Pattern::new("ram:GetUser"), &arn("user/x"), &Context::default()), Decision::NotMentioned);
}

#[test]
fn conditions_look_at_the_address_and_the_second_factor() {
    let document = read(
        r#"{"Version":"1","Statement":[
            {"Effect":"Allow","Action":"*","Resource":"*","Condition":{
                "IpAddress":{"acs:SourceIp":["10.0.0.0/8","192.0.2.7"]},"Bool":{"acs:MFAPresent":"true"}}},
            {"Effect":"Allow","Action":"ram:Get*","Resource":"*","Condition":{}},
            {"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"acs:SourceIp":"10.0.0.0/8"},
                "Bool":{"acs:MFAPresent":[false]}}}]}"#,
    );
    for (address, mfa, change, look) in [
        ("10.1.1.1", Some(true), true, true),
        ("::ffff:10.1.1.1", Some(true), true, true),
        ("192.0.2.7", Some(true), true, true),
        ("192.0.2.8", Some(true), false, true),
        ("10.1.1.1", Some(false), false, true),
        ("192.0.2.7", Some(false), false, false),
        // From nowhere known: no Allow holds that asks for an address, and every Deny does.
        ("", Some(true), false, true),
        ("", Some(false), false, false),
        ("command line", Some(false), false, false),
        // A program: neither Allow nor Deny hold that ask for a second factor.
        ("192.0.2.7", None, false, true),
    ] {
        let context = Context::new(address, mfa);
        let allowed = |action| decided(&document, action, "user/x", &context).is_allowed();
        assert_eq!((allowed("ram:DeleteUser"), allowed("ram:GetUser")), (change, look), "{address} {mfa:?}");
    }
}

#[test]
fn whether_anything_is_allowed_at_all_needs_no_resource() {
    let context = Context::default();
    let at_all = |document: &PolicyDocument, action: &str| {
        decide_at_all(document.statements(), &Pattern::new(action), &context).is_allowed()
    };
    let some = policy(&[statement("Allow", "ram:Get*", &format!("acs:ram::{UID}:user/dev-*"))]);
    assert!(at_all(&some, "ram:GetUser") && !at_all(&some, "ram:DeleteUser"));
    let partly = policy(&[statement("Allow", "*", "*"), statement("Deny", "*", "acs:ram:*:*:user/ceo")]);
    assert!(at_all(&partly, "ram:GetUser"));
    let not = policy(&[statement("Allow", "*", "*"), statement("Deny", "ram:*", "*")]);
    assert!(!at_all(&not, "ram:GetUser") && at_all(&not, "oss:GetObject"));
}

#[test]
fn what_would_not_be_honoured_is_refused_and_the_place_is_told() {
    let with = |field: &str| {
        format!(r#"{{"Version":"1","Statement":[{{"Effect":"Allow","Action":"*","Resource":"*"{field}}}]}}"#)
    };
    let when = |condition: &str| with(&format!(r#","Condition":{condition}"#));
    let at = |place: &str| format!("Statement[0].{place}");
    for (text, place, wanted) in [
        (String::new(), "line 1, column 0".to_owned(), Problem::NotJson),
        (r#"{"Version":"1","Statement":[]} x"#.to_owned(), "line 1, column 32".to_owned(), Problem::NotJson),
        ("[]".to_owned(), String::new(), Problem::NotAnObject),
        ("{}".to_owned(), "Version".to_owned(), Problem::Missing),
        (r#"{"Version":1,"Statement":[]}"#.to_owned(), "Version".to_owned(), Problem::Version),
        (r#"{"Version":"2","Statement":[]}"#.to_owned(), "Version".to_owned(), Problem::Version),
        (r#"{"Version":"1","Statement":[]}"#.to_owned(), "Statement".to_owned(), Problem::Empty),
        (r#"{"Version":"1","Statement":{}}"#.to_owned(), "Statement".to_owned(), Problem::NotAList),
        (r#"{"Version":"1","Id":"x","Statement":[]}"#.to_owned(), "Id".to_owned(), Problem::Unknown),
        (r#"{"Version":"1","Statement":["x"]}"#.to_owned(), "Statement[0]".to_owned(), Problem::NotAnObject),
        (with(r#","NotAction":"ram:*""#), at("NotAction"), Problem::Unknown),
        (with(r#","NotResource":"*""#), at("NotResource"), Problem::Unknown),
        (with(r#","Principal":"*""#), at("Principal"), Problem::Unknown),
        (with(r#","effect":"Deny""#), at("effect"), Problem::Unknown),
        (with(r#","Effect":"Deny""#), "line 1, column 82".to_owned(), Problem::Repeated),
        (with(r#","\u0045ffect":"Deny""#), "line 1, column 87".to_owned(), Problem::Repeated),
        (when("[]"), at("Condition"), Problem::NotAnObject),
        (when(r#"{"StringEquals":{"acs:SourceIp":"x"}}"#), at("Condition.StringEquals"), Problem::Operator),
        (when(r#"{"BoolIfExists":{"acs:MFAPresent":"true"}}"#), at("Condition.BoolIfExists"), Problem::Operator),
        (when(r#"{"Bool":{}}"#), at("Condition.Bool"), Problem::Empty),
        (when(r#"{"Bool":{"acs:SourceIp":"true"}}"#), at("Condition.Bool.acs:SourceIp"), Problem::Key),
        (when(r#"{"Bool":{"acs:MFAPresent":"maybe"}}"#), at("Condition.Bool.acs:MFAPresent"), Problem::Boolean),
        (when(r#"{"Bool":{"acs:MFAPresent":[true,false]}}"#), at("Condition.Bool.acs:MFAPresent"), Problem::Boolean),
        (when(r#"{"Bool":{"acs:MFAPresent":1}}"#), at("Condition.Bool.acs:MFAPresent"), Problem::Boolean),
        (
            when(r#"{"IpAddress":{"acs:SourceIp":["10.0.0.0/8","10.0.0.0/33"]}}"#),
            at("Condition.IpAddress.acs:SourceIp[1]"),
            Problem::Network,
        ),
        (when(r#"{"IpAddress":{"acs:SourceIp":[]}}"#), at("Condition.IpAddress.acs:SourceIp"), Problem::Empty),
        (when(r#"{"IpAddress":{"acs:CurrentTime":"x"}}"#), at("Condition.IpAddress.acs:CurrentTime"), Problem::Key),
        (with(r#","Condition":{"a":{"b":[[[[[["x"]]]]]]}}"#), "line 1, column 100".to_owned(), Problem::TooDeep),
    ] {
        assert_eq!(problem(&text), (place, wanted), "{text}");
    }
}

#[test]
fn effects_actions_and_resources_are_well_formed_or_refused() {
    let with = |effect: &str, action: &str, resource: &str| {
        format!(r#"{{"Version":"1","Statement":[{{"Effect":{effect},"Action":{action},"Resource":{resource}}}]}}"#)
    };
    let (allow, all) = (r#""Allow""#, r#""*""#);
    for effect in [r#""allow""#, r#""ALLOW""#, r#""""#, "true", "null"] {
        assert_eq!(problem(&with(effect, all, all)), ("Statement[0].Effect".to_owned(), Problem::Effect));
    }
    for (action, place, wanted) in [
        ("[]", "", Problem::Empty),
        ("3", "", Problem::NotAText),
        (r#"[["*"]]"#, "[0]", Problem::NotAText),
        (r#""ListUsers""#, "", Problem::Action),
        (r#"["ram:*","ram:"]"#, "[1]", Problem::Action),
        (r#""ram:List Users""#, "", Problem::Action),
        (r#""ram:a:b""#, "", Problem::Action),
        (r#""""#, "", Problem::Action),
    ] {
        assert_eq!(problem(&with(allow, action, all)), (format!("Statement[0].Action{place}"), wanted), "{action}");
    }
    for resource in ["user/x", "acs:ram", "acs:ram::1:", "arn:aws:iam::1:user/x", "acs:ram::1:user/a b", ""] {
        let text = with(allow, all, &format!(r#""{resource}""#));
        assert_eq!(problem(&text), ("Statement[0].Resource".to_owned(), Problem::Resource), "{resource}");
    }
    let long = with(allow, &format!(r#""ram:{}""#, "x".repeat(125)), all);
    assert_eq!(problem(&long).1, Problem::Action);
    for fine in [r#""*""#, r#""acs:*:*:*:*""#, r#"["acs:ram::1:user/x","acs:oss:*:*:bucket/物"]"#] {
        read(&with(allow, r#"["ram:*","ims:Get?ser","oss:*"]"#, fine));
    }
}

#[test]
fn attack_132_a_document_is_neither_long_nor_deep() {
    let document = policy(&[statement("Allow", "*", "*")]);
    let padded = |length: usize| format!("{}{}", " ".repeat(length - document.text().len()), document.text());
    assert!(padded(LONGEST_DOCUMENT).parse::<PolicyDocument>().is_ok());
    let error = padded(LONGEST_DOCUMENT + 1).parse::<PolicyDocument>().unwrap_err();
    assert_eq!(error.code(), "InvalidParameter.PolicyDocument.Length");
    for deep in ["[".repeat(6_000), r#"{"a":"#.repeat(1_200)] {
        assert_eq!(problem(&deep).1, Problem::TooDeep);
    }
}

#[test]
fn attack_132_patterns_that_go_back_and_forth_end_soon_and_deny() {
    let (hard, text) = (Pattern::new(&"a*".repeat(250)), Pattern::new(&"a".repeat(4_000)));
    let mut steps = Steps::default();
    assert!(hard.covers(&text, &mut steps) && !steps.are_over());
    let harder = Pattern::new(&format!("*{}b", "a".repeat(6_000)));
    let endless = Statement {
        effect: Effect::Allow,
        actions: vec![Pattern::new("*")],
        resources: vec![harder; 2_000].into_iter().chain([Pattern::new("*")]).collect(),
        conditions: vec![],
    };
    let text = Pattern::new(&"a".repeat(12_000));
    assert_eq!(decide([&endless], &Pattern::new("ram:GetUser"), &text, &Context::default()), Decision::Denied);
}

#[test]
fn attack_133_only_whoever_may_everything_that_another_may_covers_him() {
    let all = policy(&[statement("Allow", "*", "*")]);
    let ram = policy(&[statement("Allow", "ram:*", "*")]);
    let look = policy(&[statement("Allow", "ram:Get*", "*"), statement("Allow", "ram:List*", "*")]);
    let some = policy(&[statement("Allow", "ram:GetUser", "acs:ram:*:*:user/dev-*")]);
    let denied = policy(&[statement("Allow", "*", "*"), statement("Deny", "ram:DeleteUser", "*")]);
    let only_denied = policy(&[statement("Deny", "*", "*")]);
    let nothing = policy(&[statement("Deny", "ram:DeleteUser", "*")]);
    let conditioned = read(
        r#"{"Version":"1","Statement":[{"Effect":"Allow","Action":"*","Resource":"*",
           "Condition":{"Bool":{"acs:MFAPresent":"true"}}}]}"#,
    );
    for (theirs, own, covered) in [
        (&some, &look, true),
        (&look, &ram, true),
        (&ram, &all, true),
        (&look, &some, false),
        (&ram, &look, false),
        (&all, &ram, false),
        (&all, &all, true),
        // Their denials do not count for the asker, and his own have to bind them too.
        (&denied, &ram, false),
        (&denied, &all, true),
        (&some, &denied, false),
        (&denied, &denied, true),
        (&only_denied, &some, true),
        (&nothing, &denied, true),
        // What he may under a condition only, he may not hand on without it.
        (&some, &conditioned, false),
        (&conditioned, &all, true),
        (&conditioned, &conditioned, true),
    ] {
        let [theirs, own] = [theirs, own].map(|document| document.statements().iter().collect::<Vec<_>>());
        assert_eq!(is_covered(&theirs, &own), covered, "{theirs:?} by {own:?}");
    }
}

/// The definition of a pattern, as slow as it is plain.
fn matches_plainly(pattern: &[char], text: &[char]) -> bool {
    match (pattern.split_first(), text.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), None) => matches_plainly(rest, text),
        (Some(('*', rest)), Some((_, tail))) => matches_plainly(rest, text) || matches_plainly(pattern, tail),
        (Some(('?', rest)), Some((_, tail))) => matches_plainly(rest, tail),
        (Some((p, rest)), Some((c, tail))) if p == c => matches_plainly(rest, tail),
        (_, _) => false,
    }
}

fn chars(text: &str) -> Vec<char> {
    text.chars().collect()
}

proptest! {
    #[test]
    fn patterns_match_as_they_are_defined(pattern in "[ab*?]{0,10}", text in "[ab]{0,12}") {
        let covers = Pattern::new(&pattern).covers(&Pattern::new(&text), &mut Steps::default());
        prop_assert_eq!(covers, matches_plainly(&chars(&pattern), &chars(&text)));
    }

    #[test]
    fn what_is_covered_matches_nothing_more(wide in "[ab*?]{0,6}", narrow in "[ab*?]{0,6}", text in "[ab]{0,8}") {
        let [wide, narrow, text] = [wide, narrow, text].map(|text| Pattern::new(&text));
        let mut steps = Steps::default();
        if wide.covers(&narrow, &mut steps) && narrow.covers(&text, &mut steps) {
            prop_assert!(wide.covers(&text, &mut steps));
        }
    }

    #[test]
    fn every_pattern_covers_itself_and_star_covers_all(pattern in "[ab*?:/]{0,12}") {
        let pattern = Pattern::new(&pattern);
        prop_assert!(pattern.covers(&pattern, &mut Steps::default()));
        prop_assert!(Pattern::new("*").covers(&pattern, &mut Steps::default()));
    }

    #[test]
    fn no_text_makes_the_reader_stumble(text in "[\\[\\]{}\",:a-zA-Z0-9 *\\\\]{0,200}") {
        let _ = text.parse::<PolicyDocument>();
    }

    /// Whoever is covered may do nothing that the other may not.
    #[test]
    fn attack_133_covering_is_never_too_generous(
        theirs in proptest::collection::vec(("(Allow|Deny)", "(\\*|ram:(\\*|Get\\*|GetUser|SetUser))", "(\\*|acs:r:::[ab*]{1,3})"), 1..4),
        own in proptest::collection::vec(("(Allow|Deny)", "(\\*|ram:(\\*|Get\\*|GetUser|SetUser))", "(\\*|acs:r:::[ab*]{1,3})"), 1..4),
        action in "ram:(GetUser|SetUser)",
        resource in "acs:r:::[ab]{1,3}",
    ) {
        let [theirs, own] = [theirs, own].map(|statements| {
            policy(&statements.iter().map(|(e, a, r)| statement(e, a, r)).collect::<Vec<_>>())
        });
        let [all_theirs, all_own] = [&theirs, &own].map(|document| document.statements().iter().collect::<Vec<_>>());
        if is_covered(&all_theirs, &all_own) {
            let may = |document: &PolicyDocument| {
                decide(document.statements(), &Pattern::new(&action), &Pattern::new(&resource), &Context::default())
            };
            prop_assert!(!may(&theirs).is_allowed() || may(&own).is_allowed());
        }
    }
}
