//! The fill value in the metadata of an array -> the bytes of an element.

use serde_json::Value;

use crate::tensor::dtype::DType;

/// The bytes of an element with this value, little-endian; zero if there is none. `None` if it is not understood.
pub(super) fn bytes(value: &Value, dtype: DType) -> Option<Box<[u8]>> {
    let zero = || vec![0; dtype.bytes()].into();
    match (value, dtype) {
        (Value::Null, _) => Some(zero()),
        (Value::Array(parts), DType::Complex64) => pair(parts, DType::Float32),
        (Value::Array(parts), DType::Complex128) => pair(parts, DType::Float64),
        (Value::Bool(value), DType::Bool) => Some([u8::from(*value)].into()),
        (Value::String(text), _) if text.starts_with("0x") => hexadecimal(&text[2..], dtype),
        _ if is_zero(value) => Some(zero()),
        (Value::Number(number), _) => match dtype {
            DType::Int8 | DType::Int16 | DType::Int32 | DType::Int64 => {
                Some(number.as_i64()?.to_le_bytes()[..dtype.bytes()].into())
            }
            DType::UInt8 | DType::UInt16 | DType::UInt32 | DType::UInt64 => {
                Some(number.as_u64()?.to_le_bytes()[..dtype.bytes()].into())
            }
            _ => float(number.as_f64()?, dtype),
        },
        (Value::String(text), _) => match text.as_str() {
            "NaN" => float(f64::NAN, dtype),
            "Infinity" => float(f64::INFINITY, dtype),
            "-Infinity" => float(f64::NEG_INFINITY, dtype),
            _ => None,
        },
        _ => None,
    }
}

/// Positive zero of any type.
fn is_zero(value: &Value) -> bool {
    value.as_f64().is_some_and(|value| value == 0.0 && value.is_sign_positive())
}

fn pair(parts: &[Value], dtype: DType) -> Option<Box<[u8]>> {
    let [real, imaginary] = parts else { return None };
    Some([bytes(real, dtype)?, bytes(imaginary, dtype)?].concat().into())
}

/// The digits of the element's bits, the most significant first.
fn hexadecimal(digits: &str, dtype: DType) -> Option<Box<[u8]>> {
    let number = u64::from_str_radix(digits, 16).ok().filter(|_| digits.len() == 2 * dtype.bytes())?;
    Some(number.to_le_bytes().get(..dtype.bytes())?.into())
}

fn float(value: f64, dtype: DType) -> Option<Box<[u8]>> {
    Some(match dtype {
        DType::Float64 => value.to_le_bytes().into(),
        DType::Float32 => (value as f32).to_le_bytes().into(),
        DType::Float16 => half::f16::from_f64(value).to_le_bytes().into(),
        DType::BFloat16 => half::bf16::from_f64(value).to_le_bytes().into(),
        DType::Mini(format) => {
            let is_same = |one: &f32| f64::from(*one) == value || (one.is_nan() && value.is_nan());
            let code = format.table().iter().position(is_same)?;
            [u8::try_from(code).ok()?].into()
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::tensor::minifloat::Minifloat;

    #[test]
    fn fill_values_are_the_bytes_of_numpy() {
        // As `numpy.array(value, dtype).tobytes()` gives them, with the types of ml_dtypes.
        let check = |value: Value, dtype: DType, expected: Option<&[u8]>| {
            assert_eq!(bytes(&value, dtype).as_deref(), expected, "{value} {dtype:?}");
        };
        check(json!(null), DType::Float32, Some(&[0; 4]));
        check(json!(0.0), DType::Int64, Some(&[0; 8]));
        check(json!(1.5), DType::Float32, Some(b"\x00\x00\xc0\x3f"));
        check(json!(-0.0), DType::Float32, Some(b"\x00\x00\x00\x80"));
        check(json!(1.5), DType::BFloat16, Some(b"\xc0\x3f"));
        check(json!(1.5), DType::Float16, Some(b"\x00\x3e"));
        check(json!(1.5), DType::Mini(Minifloat::E4M3Fn), Some(b"\x3c"));
        check(json!(-3), DType::Int16, Some(b"\xfd\xff"));
        check(json!(200), DType::UInt8, Some(b"\xc8"));
        check(json!("NaN"), DType::Float32, Some(b"\x00\x00\xc0\x7f"));
        check(json!("-Infinity"), DType::Float64, Some(b"\0\0\0\0\0\0\xf0\xff"));
        check(json!("0x7fc00001"), DType::Float32, Some(b"\x01\x00\xc0\x7f"));
        check(json!(true), DType::Bool, Some(b"\x01"));
        check(json!([1.0, 0.0]), DType::Complex64, Some(b"\x00\x00\x80\x3f\0\0\0\0"));
        check(json!("text"), DType::Float32, None);
        check(json!(1.5), DType::Int8, None);
        check(json!("0x7f"), DType::Float32, None);
    }
}
