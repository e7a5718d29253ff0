//! Models that PyTorch's exporters and `onnx` wrote, and bytes that they would not write.

use std::path::{Path, PathBuf};

use crate::{
    model::{
        layout::Layout,
        network::{Network, OperationKind},
        role::Role,
    },
    reader::{
        contents::{Contents, OpenError},
        input::InMemory,
        kinds,
        truth_tests::{beside, check, n_read_of_changed, truths},
    },
};

#[test]
fn everything_that_was_exported_comes_back() {
    let truths = truths("onnx");
    assert!(truths.len() > 5);
    let wrong: Vec<String> = truths.iter().flat_map(|truth| check("onnx", truth)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn model(name: &str) -> (PathBuf, InMemory) {
    let path = PathBuf::from(name);
    let files = beside("onnx", &path);
    (path, files)
}

fn network_of(name: &str) -> Network {
    let (path, files) = model(name);
    let contents = kinds::open(&files, &path).unwrap();
    Network::clone(contents.network.as_deref().unwrap())
}

#[test]
fn the_graph_says_what_each_kernel_is() {
    let network = network_of("legacy/step_50.onnx");
    let operation = |tag: &str| {
        let traced = network.traced(tag).unwrap();
        assert!(traced.is_exact);
        (traced.role, traced.layout, &network.operations()[traced.operation.unwrap()])
    };
    let (role, layout, conv1) = operation("conv1.weight");
    assert_eq!((role, layout), (Role::Kernel, Some(Layout::Oihw)));
    assert_eq!((conv1.kind, &*conv1.name, conv1.outputs), (OperationKind::Conv(2), "conv1", Some(7)));
    assert_eq!(
        (&conv1.window, &conv1.strides, conv1.padding.as_deref()),
        (&vec![5, 5], &vec![2, 2], Some("explicit"))
    );
    assert_eq!(conv1.normalization.as_deref(), Some("bn1"));
    assert_eq!(operation("depthwise.weight").2.kind, OperationKind::Depthwise(2));
    let (_, layout, up) = operation("up.weight");
    assert_eq!((layout, up.kind, up.outputs), (Some(Layout::Iohw), OperationKind::Transposed(2), Some(4)));
    assert_eq!(operation("head.2.weight").1, Some(Layout::Oi));
    assert_eq!(operation("up.bias").0, Role::Bias);
    assert!(
        ["conv1.weight", "depthwise.weight", "up.weight"].iter().all(|tag| network.remark(tag).is_none())
    );
}

#[test]
fn kernels_are_found_behind_other_nodes() {
    let network = network_of("ways/epoch_3.onnx");
    let layout = |tag: &str| network.traced(tag).and_then(|traced| traced.layout).map(Layout::name);
    for (tag, expected) in [
        ("turned", "HWIO"),
        ("cast.weight", "OIW"),
        ("quantized.weight", "OIHW"),
        ("volume.weight", "OIDHW"),
        ("up", "IOHW"),
        ("product", "IO"),
        ("sum", "OI"),
        ("constant", "OIHW"),
        ("inner (2)", "OIHW"),
    ] {
        assert_eq!(layout(tag), Some(expected), "{tag}");
    }
    assert_eq!(layout("scale"), None);
}

#[test]
fn a_normalization_that_was_folded_is_said() {
    let network = network_of("exported/outside.onnx");
    let remark = |network: &Network, tag: &str| network.remark(tag).map(str::to_owned).unwrap_or_default();
    for tag in ["conv1.weight (exported)", "up.weight (exported)"] {
        assert!(remark(&network, tag).starts_with("the exporter folded"), "{tag}");
    }
    assert_eq!(network.traced("conv1.weight"), None, "they are not those of the training");
    assert_eq!(remark(&network, "depthwise.weight"), "");
    let network = network_of("legacy/step_40.onnx");
    let computed = network.operations().iter().find(|operation| operation.name == "conv1").unwrap();
    let (tag, _) = (0..99)
        .map(|number| format!("onnx::Conv_{number}"))
        .find_map(|tag| {
            network
                .traced(&tag)
                .filter(|traced| traced.role == Role::Kernel)
                .map(|_| (tag.clone(), tag.clone()))
        })
        .unwrap();
    assert!(remark(&network, &tag).contains("may be folded"), "{computed:?}");
    assert_eq!(remark(&network, "up.weight"), "", "its normalization is in the graph");
}

#[test]
fn a_file_beside_a_model_that_is_missing_or_cut_is_told() {
    let (path, mut files) = model("exported/outside.onnx");
    let outside = path.with_file_name("outside.onnx.data");
    let bytes = files.0.remove(&outside).unwrap();
    let contents = kinds::open(&files, &path).unwrap();
    assert_eq!(contents.missing, [outside.as_path()]);
    assert!(contents.remarks[0].contains("outside.onnx.data"), "{:?}", contents.remarks);
    assert!(contents.tensors.iter().any(|tensor| tensor.pieces.is_empty()));
    files.0.insert(outside, bytes[..bytes.len() - 1].to_vec());
    assert!(matches!(kinds::open(&files, &path), Err(OpenError::NotWhole(_))));
}

/// Opens a model in which these bytes are changed to as many others.
fn changed(name: &str, from: &[u8], to: &[u8]) -> Result<Contents, OpenError> {
    let (path, mut files) = model(name);
    let bytes = files.0.get_mut(&path).unwrap();
    let mut at = 0;
    while let Some(found) = bytes[at..].windows(from.len()).position(|some| some == from) {
        bytes[at + found..at + found + to.len()].copy_from_slice(to);
        at += found + to.len();
    }
    assert!(at > 0);
    kinds::open(&files, &path)
}

#[test]
fn names_that_leave_the_directory_are_not_opened() {
    let contents = changed("exported/outside.onnx", b"outside.onnx.data", b"../../../etc/pass").unwrap();
    assert!(contents.remarks[0].contains("not beside the model"), "{:?}", contents.remarks);
    assert_eq!((contents.files.len(), contents.missing.len()), (1, 0));
}

#[test]
fn a_shape_that_contradicts_the_length_is_damage() {
    // The lengths 7, 3, 5, 5 of the first kernel.
    let opened = changed("legacy/step_50.onnx", &[8, 7, 8, 3, 8, 5, 8, 5], &[8, 7, 8, 3, 8, 5, 8, 6]);
    assert!(matches!(opened, Err(OpenError::Damaged(_))), "{opened:?}");
}

#[test]
fn every_cut_is_not_whole() {
    for name in ["legacy/step_40.onnx", "lists/model.onnx", "exported/outside.onnx"] {
        let (path, files) = model(name);
        let whole = files.0[&path].clone();
        for len in 0..whole.len() {
            let mut cut = files.clone();
            cut.0.insert(path.clone(), whole[..len].to_vec());
            let error = kinds::open(&cut, &path).unwrap_err();
            assert!(matches!(error, OpenError::NotWhole(_)), "{name} {len}: {error}");
        }
    }
}

#[test]
fn files_with_changed_bytes_are_read_or_refused() {
    let mut n_read = 0;
    for truth in truths("onnx") {
        let (path, files) = model(truth["path"].as_str().unwrap());
        n_read += n_read_of_changed(&files, &path);
    }
    assert!(n_read > 0);
}

/// A field of a message.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut len = content.len();
    let mut bytes = vec![number << 3 | 2];
    while len >= 0x80 {
        bytes.push(len as u8 | 0x80);
        len >>= 7;
    }
    bytes.push(len as u8);
    [bytes, content.to_vec()].concat()
}

fn opened(graph: &[u8]) -> Result<Contents, OpenError> {
    let bytes = [field(7, graph), field(8, &[])].concat();
    let path = Path::new("net.onnx");
    kinds::open(&InMemory([(path.to_owned(), bytes)].into_iter().collect()), path)
}

#[test]
fn graphs_within_one_another_end() {
    let nested = |depth: usize| {
        let within = |graph: Vec<u8>, _| field(1, &[field(4, b"If"), field(5, &field(6, &graph))].concat());
        opened(&(0..depth).fold(Vec::new(), within))
    };
    assert!(nested(15).is_ok());
    assert!(matches!(nested(17), Err(OpenError::NotRead(_))));
}

#[test]
fn claims_take_no_memory() {
    // 2^62 numbers, of which there are none, and lists in two parts.
    let length = [8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 16, 1];
    assert!(matches!(opened(&field(5, &length)), Err(OpenError::Damaged(_))));
    let two = [vec![8, 2, 16, 1], field(9, &[0; 4]), field(9, &[0; 4])].concat();
    let contents = opened(&field(5, &two)).unwrap();
    assert!(contents.remarks[0].contains("in several lists"), "{:?}", contents.remarks);
    let many = field(5, &[16, 1]).repeat(60_000);
    assert!(matches!(opened(&many), Err(OpenError::NotRead(_) | OpenError::Damaged(_))));
}

#[test]
fn one_kernel_of_two_kinds_of_convolutions_is_contested() {
    let kernel = [&[8, 2, 8, 2, 8, 3, 8, 3, 16, 1][..], &field(8, b"w"), &field(9, &[0; 144])].concat();
    let node = |op: &[u8]| field(1, &[field(1, b"x"), field(1, b"w"), field(2, b"y"), field(4, op)].concat());
    let graph = [node(b"Conv"), node(b"ConvTranspose"), field(5, &kernel)].concat();
    let contents = opened(&graph).unwrap();
    let network = contents.network.unwrap();
    let traced = network.traced("w").unwrap();
    assert_eq!((traced.layout, traced.contested), (Some(Layout::Oihw), Some(Layout::Iohw)));
}

#[test]
fn what_a_graph_says_is_known_beside_another_network_too() {
    let network = network_of("exported/outside.onnx").within("outside_onnx");
    let traced = network.traced("outside_onnx/conv1.weight (exported)").unwrap();
    assert_eq!(traced.layout, Some(Layout::Oihw));
    assert_eq!(network.operations()[traced.operation.unwrap()].name, "outside_onnx/conv1");
    assert!(network.remark("outside_onnx/up.weight (exported)").is_some());
    assert_eq!(network.traced("conv1.weight (exported)"), None);
}
