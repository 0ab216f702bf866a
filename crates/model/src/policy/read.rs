//! From JSON to statements. Every element is either understood or refused.

use super::json::Json;
use super::problem::{MalformedPolicy, Problem};
use super::{Condition, Effect, Pattern, Statement};
use ipnet::IpNet;
use std::net::IpAddr;

const LONGEST_ACTION: usize = 128;
const LONGEST_RESOURCE: usize = 512;

type Read<T> = Result<T, MalformedPolicy>;

fn wrong<T>(at: &str, problem: Problem) -> Read<T> {
    Err(MalformedPolicy::new(at.to_owned(), problem))
}

/// The place of a name within an element. What somebody typed as a name is cut.
fn place(at: &str, name: &str) -> String {
    let name: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    if at.is_empty() { name } else { format!("{at}.{name}") }
}

pub(super) fn statements(document: &Json) -> Read<Vec<Statement>> {
    let [version, statements] = fields(document, "", ["Version", "Statement"], [])?.0;
    if *version != Json::Text("1".to_owned()) {
        return wrong("Version", Problem::Version);
    }
    let Json::List(list) = statements else { return wrong("Statement", Problem::NotAList) };
    if list.is_empty() {
        return wrong("Statement", Problem::Empty);
    }
    list.iter().enumerate().map(|(number, json)| statement(json, &format!("Statement[{number}]"))).collect()
}

fn statement(json: &Json, at: &str) -> Read<Statement> {
    let ([effect, actions, resources], [condition]) =
        fields(json, at, ["Effect", "Action", "Resource"], ["Condition"])?;
    let effect = match effect {
        Json::Text(word) => word.parse::<Effect>().ok(),
        Json::Object(_) | Json::List(_) | Json::Bool(_) | Json::Other => None,
    };
    let Some(effect) = effect else { return wrong(&place(at, "Effect"), Problem::Effect) };
    Ok(Statement {
        effect,
        actions: texts(actions, &place(at, "Action"), action)?,
        resources: texts(resources, &place(at, "Resource"), resource)?,
        conditions: condition.map_or(Ok(Vec::new()), |json| conditions(json, &place(at, "Condition")))?,
    })
}

/// The fields of an object: those that must be there and those that may. There are no others.
fn fields<'a, const N: usize, const M: usize>(
    json: &'a Json,
    at: &str,
    wanted: [&'static str; N],
    possible: [&'static str; M],
) -> Read<([&'a Json; N], [Option<&'a Json>; M])> {
    let Json::Object(fields) = json else { return wrong(at, Problem::NotAnObject) };
    if let Some((name, _)) =
        fields.iter().find(|(name, _)| !wanted.contains(&name.as_str()) && !possible.contains(&name.as_str()))
    {
        return wrong(&place(at, name), Problem::Unknown);
    }
    let find = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, json)| json);
    let found = wanted.map(|name| find(name).ok_or(name));
    if let Some(name) = found.iter().find_map(|found| found.err()) {
        return wrong(&place(at, name), Problem::Missing);
    }
    Ok((found.map(|found| found.unwrap_or(&Json::Other)), possible.map(find)))
}

/// A text or a list of texts, each of them read.
fn texts<T>(json: &Json, at: &str, read: fn(&str) -> Result<T, Problem>) -> Read<Vec<T>> {
    let one = |json: &Json, at: &str| match json {
        Json::Text(text) => read(text).or_else(|problem| wrong(at, problem)),
        Json::Object(_) | Json::List(_) | Json::Bool(_) | Json::Other => wrong(at, Problem::NotAText),
    };
    match json {
        Json::List(list) if list.is_empty() => wrong(at, Problem::Empty),
        Json::List(list) => list.iter().enumerate().map(|(n, json)| one(json, &format!("{at}[{n}]"))).collect(),
        Json::Text(_) | Json::Object(_) | Json::Bool(_) | Json::Other => Ok(vec![one(json, at)?]),
    }
}

fn action(text: &str) -> Result<Pattern, Problem> {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'*' | b'?');
    let word = |part: &str| !part.is_empty() && part.bytes().all(allowed);
    let well_formed = text.len() <= LONGEST_ACTION
        && (text == "*" || text.split_once(':').is_some_and(|(service, name)| word(service) && word(name)));
    if well_formed { Ok(Pattern::new(text)) } else { Err(Problem::Action) }
}

fn resource(text: &str) -> Result<Pattern, Problem> {
    let is_arn = || text.starts_with("acs:") && text.splitn(5, ':').nth(4).is_some_and(|name| !name.is_empty());
    let plain = text.chars().all(|c| !c.is_control() && !c.is_whitespace());
    let well_formed = text.chars().count() <= LONGEST_RESOURCE && plain && (text == "*" || is_arn());
    if well_formed { Ok(Pattern::new(text)) } else { Err(Problem::Resource) }
}

/// `{"IpAddress": {"acs:SourceIp": [...]}, "Bool": {"acs:MFAPresent": "true"}}`. An empty object says nothing.
fn conditions(json: &Json, at: &str) -> Read<Vec<Condition>> {
    let Json::Object(operators) = json else { return wrong(at, Problem::NotAnObject) };
    let mut conditions = Vec::new();
    for (operator, keys) in operators {
        let at = place(at, operator);
        let wanted = match operator.as_str() {
            "IpAddress" | "NotIpAddress" => "acs:SourceIp",
            "Bool" => "acs:MFAPresent",
            _ => return wrong(&at, Problem::Operator),
        };
        let Json::Object(keys) = keys else { return wrong(&at, Problem::NotAnObject) };
        if keys.is_empty() {
            return wrong(&at, Problem::Empty);
        }
        for (key, value) in keys {
            let at = place(&at, key);
            if key != wanted {
                return wrong(&at, Problem::Key);
            }
            conditions.push(match operator.as_str() {
                "IpAddress" => Condition::IpAddress(texts(value, &at, network)?),
                "NotIpAddress" => Condition::NotIpAddress(texts(value, &at, network)?),
                _ => Condition::MfaPresent(boolean(value, &at)?),
            });
        }
    }
    Ok(conditions)
}

fn network(text: &str) -> Result<IpNet, Problem> {
    let address = || Some(IpNet::from(text.parse::<IpAddr>().ok()?.to_canonical()));
    text.parse::<IpNet>().ok().or_else(address).map(|network| network.trunc()).ok_or(Problem::Network)
}

/// `true`, `"true"` or a list of one of them.
fn boolean(json: &Json, at: &str) -> Read<bool> {
    match json {
        Json::Bool(value) => Ok(*value),
        Json::Text(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Json::Text(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        Json::List(list) => match list.as_slice() {
            [Json::List(_)] => wrong(at, Problem::Boolean),
            [one] => boolean(one, at),
            _ => wrong(at, Problem::Boolean),
        },
        Json::Text(_) | Json::Object(_) | Json::Other => wrong(at, Problem::Boolean),
    }
}
