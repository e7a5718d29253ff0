//! The decoder against one that does an element at a time.

use std::{fs, path::PathBuf, sync::OnceLock};

use bytes::Bytes;
use convscope::{
    proto::{TensorProto, TensorShapeProto, tensor_shape_proto::Dim},
    tensor::{decode::tensor_of_proto, npy::npy, picture::decode_pictures, values::values},
};
use proptest::prelude::*;

use crate::{daemon::convscope, slow};

const LIMIT: usize = 1 << 20;

fn list<T: std::fmt::Debug>(element: impl Strategy<Value = T>) -> impl Strategy<Value = Vec<T>> {
    prop::collection::vec(element, 0..9)
}

fn shape() -> impl Strategy<Value = TensorShapeProto> {
    let sizes = prop_oneof![8 => 0_i64..5, 1 => any::<i64>(), 1 => Just(-1)];
    let dims = prop::collection::vec(sizes, 0..9);
    (dims, prop::bool::weighted(0.05)).prop_map(|(sizes, unknown_rank)| TensorShapeProto {
        dim: sizes.into_iter().map(|size| Dim { size, ..Dim::default() }).collect(),
        unknown_rank,
    })
}

prop_compose! {
    fn proto()(
        dtype in prop_oneof![30 => 1_i32..34, 1 => any::<i32>()],
        tensor_shape in prop::option::weighted(0.9, shape()),
        tensor_content in prop_oneof![
            2 => Just(Vec::new()),
            1 => prop::collection::vec(0_u8..3, 0..70),
            1 => prop::collection::vec(any::<u8>(), 0..70),
        ],
        (float_val, double_val, int_val) in (list(any::<f32>()), list(any::<f64>()), list(any::<i32>())),
        (scomplex_val, dcomplex_val) in (list(any::<f32>()), list(any::<f64>())),
        (int64_val, bool_val) in (list(any::<i64>()), list(any::<bool>())),
        half_val in prop_oneof![list(0..=0xffff), list(any::<i32>())],
        (uint32_val, uint64_val, float8_val) in (list(any::<u32>()), list(any::<u64>()), list(any::<u8>())),
    ) -> TensorProto {
        TensorProto {
            dtype, tensor_shape, tensor_content: tensor_content.into(), float_val, double_val, int_val,
            scomplex_val, dcomplex_val, int64_val, bool_val, half_val, uint32_val, uint64_val,
            float8_val: Bytes::from(float8_val), ..TensorProto::default()
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]
    #[test]
    fn any_tensor_is_what_the_slow_decoder_makes_of_it(mut proto in proto(), fits in any::<bool>()) {
        // Content of a chance length nearly never fits, so half of it is cut to the shape's.
        if fits && let Ok(tensor) = tensor_of_proto(TensorProto { tensor_content: Bytes::new(), ..proto.clone() }, LIMIT) {
            proto.tensor_content = proto.tensor_content.iter().copied().cycle().take(tensor.bytes.len()).collect();
        }
        let fast = tensor_of_proto(proto.clone(), LIMIT);
        let elements: i128 = proto.tensor_shape.iter().flat_map(|shape| &shape.dim)
            .map(|dim| i128::from(dim.size)).fold(1, i128::saturating_mul);
        prop_assume!(elements <= LIMIT as i128 / 16);
        let slow = slow::elements(&proto).map(|elements| elements.concat());
        prop_assert_eq!(fast.as_ref().ok().map(|tensor| tensor.bytes.to_vec()), slow);
        if let Ok(tensor) = fast {
            prop_assert!(!npy(&tensor).is_empty());
            let n = match values(&tensor) {
                convscope::tensor::values::Values::F32(numbers) => numbers.len(),
                convscope::tensor::values::Values::F64(numbers) => numbers.len(),
            };
            prop_assert_eq!(n, tensor.shape.elements());
        }
    }
}

/// Films in each form, and `WebP`s whose frames are parts that are blended and cleared.
fn animations() -> &'static [Vec<u8>] {
    static MADE: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    MADE.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let logdir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/animations");
        let films = ["a.gif", "a.apng", "a.webp"].map(|name| {
            let out = dir.path().join(name);
            let of = ["--run", "gif", "--tag", "pillow", "--over", "frames"];
            let args = [&["render", logdir.to_str().unwrap(), "-o", out.to_str().unwrap()], &of[..]].concat();
            assert!(convscope(&args).status.success());
            fs::read(out).unwrap()
        });
        let logged = fs::read_dir(logdir.join("webp")).unwrap().map(|file| fs::read(file.unwrap().path()));
        let logged: Vec<Vec<u8>> = logged.flat_map(|file| webps(&file.unwrap())).collect();
        assert!(logged.len() > 15);
        [&films[..], &logged].concat()
    })
}

/// The `WebP` files in a file.
fn webps(file: &[u8]) -> Vec<Vec<u8>> {
    let begins = |at: &usize| file[*at..].starts_with(b"RIFF") && file[at + 8..].starts_with(b"WEBP");
    let len = |at: usize| u32::from_le_bytes(file[at + 4..at + 8].try_into().unwrap()) as usize;
    (0..file.len() - 12).filter(begins).map(|at| file[at..at + 8 + len(at)].to_vec()).collect()
}

/// Makes the CRCs of a PNG's chunks right, so that what is in them is looked at.
fn mend(png: &mut [u8]) {
    let mut at = 8;
    while let Some(len) = png.get(at..at + 4).map(|len| u32::from_be_bytes(len.try_into().unwrap()) as usize)
    {
        let Some(end) = at.checked_add(len + 8).filter(|end| end + 4 <= png.len()) else { return };
        let crc = crc32fast::hash(&png[at + 4..end]).to_be_bytes();
        png[end..end + 4].copy_from_slice(&crc);
        at = end + 4;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]
    #[test]
    fn damaged_animations_are_refused_or_have_all_their_frames(
        form in any::<prop::sample::Index>(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let form = form.index(animations().len());
        let mut bytes = animations()[form].clone();
        for (at, byte) in damage {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if form == 1 {
            mend(&mut bytes);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(tensor) = decode_pictures(&[bytes.into()], LIMIT) {
            prop_assert_eq!(tensor.bytes.len(), tensor.shape.elements());
            let of = tensor.frames.of_all().unwrap_or(1);
            prop_assert_eq!(tensor.shape.axes()[0], of);
        }
    }
}
