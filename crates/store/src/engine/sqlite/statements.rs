//! Runs one statement on SQLite.

use rusqlite::types::{ToSqlOutput, Type, ValueRef};
use rusqlite::{Connection, Error, ErrorCode, Statement, ToSql};

use crate::error::StoreError;
use crate::value::{Param, Row, Value};

/// Runs a statement that answers no rows; returns how many rows it changed.
pub(super) fn execute(connection: &Connection, sql: &str, params: &[Param<'_>]) -> rusqlite::Result<usize> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    statement.raw_execute()
}

/// Runs a statement and returns its rows.
pub(super) fn rows(connection: &Connection, sql: &str, params: &[Param<'_>]) -> rusqlite::Result<Vec<Row>> {
    let mut statement = connection.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    let columns = statement.column_count();
    let mut answer = statement.raw_query();
    let mut rows = Vec::new();
    while let Some(row) = answer.next()? {
        let values: rusqlite::Result<_> = (0..columns).map(|column| value(column, row.get_ref(column)?)).collect();
        rows.push(Row::new(values?));
    }
    Ok(rows)
}

/// The placeholders are numbered by their first appearance, which is the order of `params` (`placeholders_ascend`).
fn bind(statement: &mut Statement<'_>, params: &[Param<'_>]) -> rusqlite::Result<()> {
    let wanted = statement.parameter_count();
    if wanted != params.len() {
        return Err(Error::InvalidParameterCount(params.len(), wanted));
    }
    for (index, param) in (1_usize..).zip(params) {
        statement.raw_bind_parameter(index, param)?;
    }
    Ok(())
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Param::Null => ValueRef::Null,
            Param::Int(number) => ValueRef::Integer(number),
            Param::Text(text) => ValueRef::Text(text.as_bytes()),
            Param::Blob(bytes) => ValueRef::Blob(bytes),
            Param::Bool(truth) => ValueRef::Integer(i64::from(truth)),
        }))
    }
}

fn value(column: usize, value: ValueRef<'_>) -> rusqlite::Result<Value> {
    Ok(match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Int(number),
        ValueRef::Text(text) => {
            let text = str::from_utf8(text).map_err(|error| Error::Utf8Error(column, error))?;
            Value::Text(text.to_owned())
        }
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_owned()),
        ValueRef::Real(_) => {
            let name = "a REAL, which the two engines do not share".to_owned();
            return Err(Error::InvalidColumnType(column, name, Type::Real));
        }
    })
}

/// Tells the disk's and the operator's errors from ours.
pub(crate) fn explain(error: &Error) -> StoreError {
    let weather = matches!(
        error.sqlite_error_code(),
        Some(
            ErrorCode::DiskFull
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::OutOfMemory
                | ErrorCode::PermissionDenied
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::DatabaseCorrupt
                | ErrorCode::NotADatabase
        )
    );
    if weather { StoreError::Unavailable(error.to_string()) } else { StoreError::Fault(error.to_string()) }
}
