//! A `TensorProto` read as simply as it can be said, one element at a time: what the decoder is held against.

use convscope::proto::TensorProto;

/// The bytes of each element in turn; `None` where there is no tensor. Only for shapes of few elements.
pub(crate) fn elements(proto: &TensorProto) -> Option<Vec<Vec<u8>>> {
    let shape = proto.tensor_shape.clone().unwrap_or_default();
    if shape.unknown_rank || shape.dim.iter().any(|dim| dim.size < 0) {
        return None;
    }
    let n = shape.dim.iter().map(|dim| i128::from(dim.size)).fold(1_i128, i128::saturating_mul);
    let size = size(proto.dtype)?;
    let content = &proto.tensor_content;
    if n == 0 || content.is_empty() {
        return Some((0..n).map(|i| listed(proto, usize::try_from(i).unwrap(), size)).collect());
    }
    let is_whole = content.len() as i128 == n * size as i128;
    let is_truth = proto.dtype != 10 || content.iter().all(|byte| *byte < 2);
    (is_whole && is_truth).then(|| content.chunks(size).map(<[u8]>::to_vec).collect())
}

fn size(dtype: i32) -> Option<usize> {
    Some(match dtype {
        4 | 6 | 10 | 11 | 12 | 24..=33 => 1,
        5 | 14..=17 | 19 => 2,
        1 | 3 | 13 | 22 => 4,
        2 | 8 | 9 | 23 => 8,
        18 => 16,
        _ => return None,
    })
}

/// Element `i` of the list, or the last one behind its end, or zeros.
fn listed(proto: &TensorProto, i: usize, size: usize) -> Vec<u8> {
    let torch_halves = proto.half_val.iter().any(|bits| !(0..=0xffff).contains(bits));
    let half = |bits: i32| match (torch_halves, proto.dtype) {
        (false, _) => bits.to_le_bytes()[..2].to_vec(),
        (true, 14) => half::bf16::from_f32(f32::from_bits(bits as u32)).to_le_bytes().to_vec(),
        (true, _) => half::f16::from_f32(f32::from_bits(bits as u32)).to_le_bytes().to_vec(),
    };
    let bytes = match proto.dtype {
        1 => at(&proto.float_val, i).map(|x| x.to_le_bytes().to_vec()),
        2 => at(&proto.double_val, i).map(|x| x.to_le_bytes().to_vec()),
        8 => pair(&proto.scomplex_val, i).map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()].concat()),
        18 => pair(&proto.dcomplex_val, i).map(|(a, b)| [a.to_le_bytes(), b.to_le_bytes()].concat()),
        9 => at(&proto.int64_val, i).map(|x| x.to_le_bytes().to_vec()),
        10 => at(&proto.bool_val, i).map(|x| vec![u8::from(x)]),
        14 | 19 => at(&proto.half_val, i).map(half),
        22 => at(&proto.uint32_val, i).map(|x| x.to_le_bytes().to_vec()),
        23 => at(&proto.uint64_val, i).map(|x| x.to_le_bytes().to_vec()),
        24..=28 | 33 => at(&proto.float8_val, i).map(|x| vec![x]),
        4 if proto.int_val.is_empty() => at(&proto.uint32_val, i).map(|x| x.to_le_bytes()[..1].to_vec()),
        _ => at(&proto.int_val, i).map(|x| x.to_le_bytes()[..size].to_vec()),
    };
    bytes.unwrap_or(vec![0; size])
}

fn at<T: Copy>(list: &[T], i: usize) -> Option<T> {
    list.get(i).or(list.last()).copied()
}

fn pair<T: Copy>(list: &[T], i: usize) -> Option<(T, T)> {
    let n = list.len() / 2;
    let i = i.min(n.checked_sub(1)?);
    Some((list[2 * i], list[2 * i + 1]))
}
