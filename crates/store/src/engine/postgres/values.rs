//! Values on their way to PostgreSQL and back, by the types that the server tells.

use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use super::errors::explain;
use crate::error::StoreError;
use crate::value::{Param, Row, Value};

/// The values as the driver takes them.
pub(super) fn by_reference<'p>(params: &'p [Param<'_>]) -> Vec<&'p (dyn ToSql + Sync)> {
    params.iter().map(|param| -> &(dyn ToSql + Sync) { param }).collect()
}

impl ToSql for Param<'_> {
    /// By the type that the server gave the placeholder.
    fn to_sql(&self, wanted: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match (*self, wanted) {
            (Param::Null, _) => Ok(IsNull::Yes),
            (Param::Int(number), &Type::INT8) => number.to_sql(wanted, out),
            (Param::Int(number), &Type::INT4) => i32::try_from(number)?.to_sql(wanted, out),
            (Param::Int(number), &Type::INT2) => i16::try_from(number)?.to_sql(wanted, out),
            (Param::Text(text), &(Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME)) => text.to_sql(wanted, out),
            (Param::Blob(bytes), &Type::BYTEA) => bytes.to_sql(wanted, out),
            (Param::Bool(truth), &Type::BOOL) => truth.to_sql(wanted, out),
            (Param::Int(_), _) => Err(format!("an integer is given where {wanted} is wanted").into()),
            (Param::Text(_), _) => Err(format!("text is given where {wanted} is wanted").into()),
            (Param::Blob(_), _) => Err(format!("bytes are given where {wanted} is wanted").into()),
            (Param::Bool(_), _) => Err(format!("a truth value is given where {wanted} is wanted").into()),
        }
    }

    fn accepts(_wanted: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

/// A row of the driver as ours.
pub(super) fn row(row: &tokio_postgres::Row) -> Result<Row, StoreError> {
    let values: Result<_, _> = (0..row.len()).map(|column| value(row, column)).collect();
    values.map(Row::new)
}

fn value(row: &tokio_postgres::Row, column: usize) -> Result<Value, StoreError> {
    let Some(described) = row.columns().get(column) else {
        return Ok(Value::Null);
    };
    let value = match *described.type_() {
        Type::INT8 => row.try_get::<_, Option<i64>>(column).map(|value| value.map(Value::Int)),
        Type::INT4 => row.try_get::<_, Option<i32>>(column).map(|value| value.map(i64::from).map(Value::Int)),
        Type::INT2 => row.try_get::<_, Option<i16>>(column).map(|value| value.map(i64::from).map(Value::Int)),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR | Type::NAME => {
            row.try_get::<_, Option<String>>(column).map(|value| value.map(Value::Text))
        }
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(column).map(|value| value.map(Value::Blob)),
        Type::BOOL => row.try_get::<_, Option<bool>>(column).map(|value| value.map(Value::Bool)),
        ref other => {
            let name = described.name();
            let problem = format!("column {name} is {other}, which the two engines do not share; CAST it to BIGINT");
            return Err(StoreError::Fault(problem));
        }
    };
    value.map(|value| value.unwrap_or(Value::Null)).map_err(|error| explain(&error))
}
