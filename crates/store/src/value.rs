//! What goes into a statement and what comes out of it.
//!
//! Both engines share five kinds of value: nothing, 64-bit integers, text, bytes and truth. [`Param`] borrows what goes in,
//! [`Value`] owns what comes out, and [`RowReader`] turns a row back into the types of the crate `model`, naming the table
//! and the column when the row holds something that no version of this program wrote.

use std::fmt::Display;
use std::str::FromStr;
use std::vec::IntoIter;

use serde::de::DeserializeOwned;

use crate::error::StoreError;

/// A value for a placeholder of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Param<'a> {
    /// `NULL`, of whatever type the placeholder has.
    Null,
    /// `BIGINT`, and `INTEGER` where it fits.
    Int(i64),
    /// `TEXT`. A NUL character is refused, because PostgreSQL cannot keep one.
    Text(&'a str),
    /// `BLOB` or `BYTEA`.
    Blob(&'a [u8]),
    /// `BOOLEAN`; SQLite keeps it as 0 or 1.
    Bool(bool),
}

/// A type that can be given to a statement. Used through [`params!`](crate::params).
pub trait ToParam {
    /// The value as the engines know it.
    fn to_param(&self) -> Param<'_>;
}

/// The values of a statement's placeholders, `$1` first: `params![id, name]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        &[$($crate::ToParam::to_param(&$value)),*]
    };
}

impl ToParam for i64 {
    fn to_param(&self) -> Param<'_> {
        Param::Int(*self)
    }
}

impl ToParam for i32 {
    fn to_param(&self) -> Param<'_> {
        Param::Int(i64::from(*self))
    }
}

impl ToParam for u32 {
    fn to_param(&self) -> Param<'_> {
        Param::Int(i64::from(*self))
    }
}

impl ToParam for u16 {
    fn to_param(&self) -> Param<'_> {
        Param::Int(i64::from(*self))
    }
}

impl ToParam for u8 {
    fn to_param(&self) -> Param<'_> {
        Param::Int(i64::from(*self))
    }
}

impl ToParam for bool {
    fn to_param(&self) -> Param<'_> {
        Param::Bool(*self)
    }
}

impl ToParam for str {
    fn to_param(&self) -> Param<'_> {
        Param::Text(self)
    }
}

impl ToParam for String {
    fn to_param(&self) -> Param<'_> {
        Param::Text(self)
    }
}

impl ToParam for [u8] {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(self)
    }
}

impl ToParam for Vec<u8> {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(self)
    }
}

impl<const LENGTH: usize> ToParam for [u8; LENGTH] {
    fn to_param(&self) -> Param<'_> {
        Param::Blob(self)
    }
}

impl<T: ToParam> ToParam for Option<T> {
    fn to_param(&self) -> Param<'_> {
        self.as_ref().map_or(Param::Null, ToParam::to_param)
    }
}

impl<T: ToParam + ?Sized> ToParam for &T {
    fn to_param(&self) -> Param<'_> {
        (**self).to_param()
    }
}

/// A value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// `NULL`.
    Null,
    /// An integer; SQLite's truth values too.
    Int(i64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
    /// Truth, as PostgreSQL tells it.
    Bool(bool),
}

impl Value {
    const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "NULL",
            Self::Int(_) => "an integer",
            Self::Text(_) => "text",
            Self::Blob(_) => "bytes",
            Self::Bool(_) => "a truth value",
        }
    }
}

/// A row of an answer: its values, in the order of the statement's `SELECT` or `RETURNING` list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    values: Vec<Value>,
}

impl Row {
    pub(crate) const fn new(values: Vec<Value>) -> Self {
        Self { values }
    }

    /// Reads the row value by value, giving each one away. `table` is named when a value is bad.
    #[must_use]
    pub fn reader(self, table: &'static str) -> RowReader {
        RowReader { table, values: self.values.into_iter() }
    }

    /// The values themselves.
    #[must_use]
    pub fn into_values(self) -> Vec<Value> {
        self.values
    }
}

/// Takes a row's values in the order of the `SELECT` list. The column names serve the error message only, which never
/// shows a value: it may be a secret.
#[derive(Debug)]
pub struct RowReader {
    table: &'static str,
    values: IntoIter<Value>,
}

impl RowReader {
    /// Text.
    pub fn text(&mut self, column: &'static str) -> Result<String, StoreError> {
        self.required(column, Self::opt_text)
    }

    /// Text or `NULL`.
    pub fn opt_text(&mut self, column: &'static str) -> Result<Option<String>, StoreError> {
        match self.next(column)? {
            Value::Null => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            other @ (Value::Int(_) | Value::Blob(_) | Value::Bool(_)) => Err(self.unexpected(column, "text", &other)),
        }
    }

    /// An integer.
    pub fn int(&mut self, column: &'static str) -> Result<i64, StoreError> {
        self.required(column, Self::opt_int)
    }

    /// An integer or `NULL`.
    pub fn opt_int(&mut self, column: &'static str) -> Result<Option<i64>, StoreError> {
        match self.next(column)? {
            Value::Null => Ok(None),
            Value::Int(number) => Ok(Some(number)),
            other @ (Value::Text(_) | Value::Blob(_) | Value::Bool(_)) => {
                Err(self.unexpected(column, "an integer", &other))
            }
        }
    }

    /// An integer that has to fit a narrower type, such as `u32`.
    pub fn narrow<T: TryFrom<i64>>(&mut self, column: &'static str) -> Result<T, StoreError> {
        self.required(column, Self::opt_narrow)
    }

    /// An integer that has to fit a narrower type, or `NULL`.
    pub fn opt_narrow<T: TryFrom<i64>>(&mut self, column: &'static str) -> Result<Option<T>, StoreError> {
        let number = self.opt_int(column)?;
        number.map(|number| T::try_from(number).map_err(|_| self.bad(column, "is out of range"))).transpose()
    }

    /// Truth: a truth value, or SQLite's 0 and 1.
    pub fn bool(&mut self, column: &'static str) -> Result<bool, StoreError> {
        self.required(column, Self::opt_bool)
    }

    /// Truth or `NULL`.
    pub fn opt_bool(&mut self, column: &'static str) -> Result<Option<bool>, StoreError> {
        match self.next(column)? {
            Value::Null => Ok(None),
            Value::Bool(truth) => Ok(Some(truth)),
            Value::Int(0) => Ok(Some(false)),
            Value::Int(1) => Ok(Some(true)),
            other @ (Value::Int(_) | Value::Text(_) | Value::Blob(_)) => {
                Err(self.unexpected(column, "a truth value", &other))
            }
        }
    }

    /// Bytes.
    pub fn blob(&mut self, column: &'static str) -> Result<Vec<u8>, StoreError> {
        self.required(column, Self::opt_blob)
    }

    /// Bytes or `NULL`.
    pub fn opt_blob(&mut self, column: &'static str) -> Result<Option<Vec<u8>>, StoreError> {
        match self.next(column)? {
            Value::Null => Ok(None),
            Value::Blob(bytes) => Ok(Some(bytes)),
            other @ (Value::Int(_) | Value::Text(_) | Value::Bool(_)) => Err(self.unexpected(column, "bytes", &other)),
        }
    }

    /// Bytes of a known length, such as a digest.
    pub fn bytes<const LENGTH: usize>(&mut self, column: &'static str) -> Result<[u8; LENGTH], StoreError> {
        self.required(column, Self::opt_bytes)
    }

    /// Bytes of a known length, or `NULL`.
    pub fn opt_bytes<const LENGTH: usize>(&mut self, column: &'static str) -> Result<Option<[u8; LENGTH]>, StoreError> {
        let bytes = self.opt_blob(column)?;
        bytes
            .map(|bytes| <[u8; LENGTH]>::try_from(bytes).map_err(|_| self.bad(column, "has another length")))
            .transpose()
    }

    /// Text that is a name, an id or a word of an enum.
    pub fn parse<T>(&mut self, column: &'static str) -> Result<T, StoreError>
    where
        T: FromStr<Err: Display>,
    {
        self.required(column, Self::opt_parse)
    }

    /// Text that is a name, an id or a word of an enum, or `NULL`.
    pub fn opt_parse<T>(&mut self, column: &'static str) -> Result<Option<T>, StoreError>
    where
        T: FromStr<Err: Display>,
    {
        let text = self.opt_text(column)?;
        text.map(|text| text.parse().map_err(|error| self.bad(column, &format!("does not parse: {error}")))).transpose()
    }

    /// Text that is JSON.
    pub fn json<T: DeserializeOwned>(&mut self, column: &'static str) -> Result<T, StoreError> {
        self.required(column, Self::opt_json)
    }

    /// Text that is JSON, or `NULL`.
    pub fn opt_json<T: DeserializeOwned>(&mut self, column: &'static str) -> Result<Option<T>, StoreError> {
        let text = self.opt_text(column)?;
        text.map(|text| self.parse_json(column, &text)).transpose()
    }

    /// Text of this column, as JSON.
    pub(crate) fn parse_json<T: DeserializeOwned>(&self, column: &'static str, text: &str) -> Result<T, StoreError> {
        serde_json::from_str(text).map_err(|error| self.bad(column, &json_problem(&error)))
    }

    pub(crate) fn required<T>(
        &mut self,
        column: &'static str,
        optional: impl FnOnce(&mut Self, &'static str) -> Result<Option<T>, StoreError>,
    ) -> Result<T, StoreError> {
        optional(self, column)?.ok_or_else(|| self.bad(column, "is NULL"))
    }

    fn next(&mut self, column: &'static str) -> Result<Value, StoreError> {
        self.values.next().ok_or_else(|| self.bad(column, "is not in the SELECT list"))
    }

    fn unexpected(&self, column: &'static str, wanted: &str, found: &Value) -> StoreError {
        let found = found.kind();
        self.bad(column, &format!("is {found} and should be {wanted}"))
    }

    fn bad(&self, column: &'static str, problem: &str) -> StoreError {
        StoreError::BadRow { table: self.table, column, problem: problem.to_owned() }
    }
}

/// Where the JSON is wrong. serde's own message would quote what it found.
fn json_problem(error: &serde_json::Error) -> String {
    let (line, column) = (error.line(), error.column());
    format!("is not the expected JSON ({:?} error at {line}:{column})", error.classify())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(values: Vec<Value>) -> RowReader {
        Row::new(values).reader("things")
    }

    #[test]
    fn values_are_taken_in_the_order_of_the_select_list() {
        let mut row = reader(vec![
            Value::Text("a".into()),
            Value::Int(7),
            Value::Null,
            Value::Int(1),
            Value::Bool(false),
            Value::Blob(vec![1, 2]),
            Value::Text("42".into()),
            Value::Text("[1,2]".into()),
        ]);
        assert_eq!(row.text("a").unwrap(), "a");
        assert_eq!(row.narrow::<u8>("b").unwrap(), 7);
        assert_eq!(row.opt_int("c").unwrap(), None);
        assert!(row.bool("d").unwrap());
        assert!(!row.bool("e").unwrap());
        assert_eq!(row.bytes("f").unwrap(), [1, 2]);
        assert_eq!(row.parse::<u32>("g").unwrap(), 42);
        assert_eq!(row.json::<Vec<u8>>("h").unwrap(), [1, 2]);
        assert!(matches!(row.int("i"), Err(StoreError::BadRow { column: "i", .. })));
    }

    #[test]
    fn a_bad_value_is_told_by_table_and_column_and_never_shown() {
        let told = |error: StoreError| {
            let told = error.to_string();
            assert!(told.contains("things.column") && !told.contains("hush"), "{told}");
        };
        told(reader(vec![Value::Text("hush".into())]).int("column").unwrap_err());
        told(reader(vec![Value::Text("\"hush\"".into())]).json::<bool>("column").unwrap_err());
        told(reader(vec![Value::Int(2)]).bool("column").unwrap_err());
        told(reader(vec![Value::Int(300)]).narrow::<u8>("column").unwrap_err());
        told(reader(vec![Value::Null]).text("column").unwrap_err());
        told(reader(vec![Value::Blob(vec![0; 3])]).bytes::<2>("column").unwrap_err());
        told(reader(vec![]).text("column").unwrap_err());
    }

    #[test]
    fn params_take_references_options_and_arrays() {
        fn same(given: &[Param<'_>], wanted: &[Param<'_>]) {
            assert_eq!(given, wanted);
        }
        let name = String::from("n");
        let nothing: Option<&str> = None;
        same(params![1_i64, 2_u32, true], &[Param::Int(1), Param::Int(2), Param::Bool(true)]);
        same(params![name, name.as_str(), &&name], &[Param::Text("n"); 3]);
        same(params![[1_u8; 2], vec![3_u8]], &[Param::Blob(&[1, 1]), Param::Blob(&[3])]);
        same(params![nothing, Some(4_i64)], &[Param::Null, Param::Int(4)]);
        same(params![], &[]);
    }
}
