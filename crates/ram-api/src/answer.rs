//! Answers: one tree of values, written as JSON or as XML.
//!
//! A list stands under the name of its items, as the protocol has it: `Users: {User: [..]}` is `<Users><User>…</User>
//! <User>…</User></Users>` in XML.

use serde::ser::{Serialize, SerializeMap as _, SerializeSeq as _, Serializer};
use std::fmt::Write as _;

/// What an answer is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `application/json;charset=utf-8`
    Json,
    /// `text/xml;charset=utf-8`
    Xml,
}

impl Format {
    /// The format of this name, in any case.
    #[must_use]
    pub const fn named(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("json") {
            Some(Self::Json)
        } else if text.eq_ignore_ascii_case("xml") {
            Some(Self::Xml)
        } else {
            None
        }
    }

    /// The content type. One of the SDKs reads XML only when it is exactly this.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json;charset=utf-8",
            Self::Xml => "text/xml;charset=utf-8",
        }
    }
}

/// A value of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A text.
    Text(String),
    /// A whole number.
    Number(i64),
    /// Yes or no.
    Boolean(bool),
    /// Named values in their order.
    Object(Vec<(&'static str, Node)>),
    /// Values of one kind.
    List(Vec<Node>),
}

impl Node {
    /// An object of these fields.
    #[must_use]
    pub fn object<const N: usize>(fields: [(&'static str, Self); N]) -> Self {
        Self::Object(fields.into())
    }

    /// An object that holds nothing but a list: `{"User": [..]}`.
    #[must_use]
    pub fn list_of(item: &'static str, items: impl IntoIterator<Item = Self>) -> Self {
        Self::Object(vec![(item, Self::List(items.into_iter().collect()))])
    }

    /// The same object with one more field, if there is one.
    #[must_use]
    pub fn with(self, name: &'static str, value: Option<impl Into<Self>>) -> Self {
        match (self, value) {
            (Self::Object(mut fields), Some(value)) => {
                fields.push((name, value.into()));
                Self::Object(fields)
            }
            (same, _) => same,
        }
    }

    /// The field of this name of an object.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Object(fields) => fields.iter().find(|(found, _)| *found == name).map(|(_, value)| value),
            Self::Text(_) | Self::Number(_) | Self::Boolean(_) | Self::List(_) => None,
        }
    }

    /// Writes the tree. `root` is the name of the outermost element in XML; JSON has none.
    #[must_use]
    pub fn write(&self, format: Format, root: &str) -> String {
        match format {
            // A tree of these values can always be written.
            Format::Json => serde_json::to_string(self).unwrap_or_default(),
            Format::Xml => {
                let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
                self.write_xml(root, &mut xml);
                xml
            }
        }
    }

    /// Writes the tree of an error, whose XML is written a little differently.
    #[must_use]
    pub fn write_error(&self, format: Format) -> String {
        match format {
            Format::Json => self.write(format, ""),
            Format::Xml => {
                let mut xml = String::from("<?xml version='1.0' encoding='UTF-8'?><Error>");
                if let Self::Object(fields) = self {
                    for (name, value) in fields {
                        match value {
                            Self::Text(text) if *name == "Recommend" => {
                                // No code and no id holds the end of such a section, and this makes it sure.
                                let text = text.replace("]]>", "");
                                let _ = write!(xml, "<{name}><![CDATA[{text}]]></{name}>");
                            }
                            Self::Text(_) | Self::Number(_) | Self::Boolean(_) | Self::Object(_) | Self::List(_) => {
                                value.write_xml(name, &mut xml);
                            }
                        }
                    }
                }
                xml.push_str("</Error>");
                xml
            }
        }
    }

    fn write_xml(&self, name: &str, xml: &mut String) {
        if let Self::List(items) = self {
            for item in items {
                item.write_xml(name, xml);
            }
            return;
        }
        let _ = write!(xml, "<{name}>");
        match self {
            Self::Text(text) => escape(text, xml),
            Self::Number(number) => _ = write!(xml, "{number}"),
            Self::Boolean(boolean) => _ = write!(xml, "{boolean}"),
            Self::Object(fields) => {
                for (name, value) in fields {
                    value.write_xml(name, xml);
                }
            }
            Self::List(_) => {}
        }
        let _ = write!(xml, "</{name}>");
    }
}

/// Writes a text so that it is nothing but a text; what XML 1.0 cannot hold becomes U+FFFD.
fn escape(text: &str, xml: &mut String) {
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            '\r' => xml.push_str("&#13;"),
            '\n' | '\t' => xml.push(c),
            '\u{fffe}' | '\u{ffff}' => xml.push('\u{fffd}'),
            c if c.is_control() && c < ' ' => xml.push('\u{fffd}'),
            c => xml.push(c),
        }
    }
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Number(number) => serializer.serialize_i64(*number),
            Self::Boolean(boolean) => serializer.serialize_bool(*boolean),
            Self::Object(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
        }
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Node {
    fn from(boolean: bool) -> Self {
        Self::Boolean(boolean)
    }
}

impl From<i64> for Node {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl From<u8> for Node {
    fn from(number: u8) -> Self {
        Self::Number(number.into())
    }
}

impl From<u16> for Node {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ApiError;

    fn users() -> Node {
        let user = |name: &str| Node::object([("UserName", name.into()), ("Bound", true.into())]);
        Node::object([
            ("RequestId", "ID".into()),
            ("IsTruncated", false.into()),
            ("Users", Node::list_of("User", [user("alice"), user("<b&b>")])),
            ("Count", 2_i64.into()),
        ])
    }

    #[test]
    fn one_tree_is_written_as_json_and_as_xml() {
        assert_eq!(
            users().write(Format::Json, "ListUsersResponse"),
            r#"{"RequestId":"ID","IsTruncated":false,"Users":{"User":[{"UserName":"alice","Bound":true},{"UserName":"<b&b>","Bound":true}]},"Count":2}"#
        );
        assert_eq!(
            users().write(Format::Xml, "ListUsersResponse"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><ListUsersResponse><RequestId>ID</RequestId>\
             <IsTruncated>false</IsTruncated><Users><User><UserName>alice</UserName><Bound>true</Bound></User>\
             <User><UserName>&lt;b&amp;b&gt;</UserName><Bound>true</Bound></User></Users><Count>2</Count>\
             </ListUsersResponse>"
        );
    }

    #[test]
    fn an_empty_list_is_an_empty_array_and_no_element() {
        let none = Node::object([("Users", Node::list_of("User", []))]);
        assert_eq!(none.write(Format::Json, "R"), r#"{"Users":{"User":[]}}"#);
        assert!(none.write(Format::Xml, "R").ends_with("<R><Users></Users></R>"));
    }

    #[test]
    fn an_error_looks_as_the_gateways() {
        let body = ApiError::no_permission().body("ID", "Ram", "ram.example");
        assert_eq!(
            body.write_error(Format::Json),
            r#"{"RequestId":"ID","HostId":"ram.example","Code":"NoPermission","Message":"You are not authorized to do this action.","Recommend":"https://api.aliyun.com/troubleshoot?q=NoPermission&product=Ram&requestId=ID"}"#
        );
        assert_eq!(
            body.write_error(Format::Xml),
            "<?xml version='1.0' encoding='UTF-8'?><Error><RequestId>ID</RequestId><HostId>ram.example</HostId>\
             <Code>NoPermission</Code><Message>You are not authorized to do this action.</Message><Recommend>\
             <![CDATA[https://api.aliyun.com/troubleshoot?q=NoPermission&product=Ram&requestId=ID]]></Recommend></Error>"
        );
    }

    #[test]
    fn no_text_leaves_its_element() {
        let node = Node::object([("T", "a\u{0}<\u{1b}]]>&\"'\r\u{ffff}".into())]);
        assert!(
            node.write(Format::Xml, "R")
                .ends_with("<R><T>a\u{fffd}&lt;\u{fffd}]]&gt;&amp;&quot;&apos;&#13;\u{fffd}</T></R>")
        );
    }
}
