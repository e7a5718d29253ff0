//! Tags and shapes -> what a tensor is in the network: its layer, its role, which axis is which, and the evidence for this.

pub mod conclude;
mod facts;
mod from_end;
mod glob;
pub mod graph;
pub mod keras;
pub mod layout;
pub mod name;
mod natural_order;
pub mod network;
pub mod normalization;
#[cfg(test)]
mod readings;
mod reason;
mod receptive_field;
pub mod recorded;
pub mod role;
pub mod rules;
#[cfg(test)]
mod visits;
mod weigh;

pub use self::{
    facts::Facts,
    reason::{Confidence, Reason},
};

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::{
        conclude::{Item, conclude},
        role::Role,
        rules::Rules,
        *,
    };
    use crate::tensor::shape::Shape;

    /// What is concluded about a tag that is the only one of its run.
    fn facts(tag: &str, shape: &Shape) -> Facts {
        let item = Item {
            tag,
            shape: Some(shape),
            is_picture: false,
            recorded: None,
            is_pytorchs: false,
            is_optimizers: false,
        };
        conclude(".", &[item], &[], &Rules::default()).remove(0)
    }

    fn check(tag: &str, dims: &[i64], layer: &str, role: Role, layout: Option<&str>) {
        let found = facts(tag, &Shape::new(dims).unwrap());
        let found_layout = found.layout.as_ref().map(|(layout, _)| layout.name());
        assert_eq!((found.layer.as_str(), found.role, found_layout), (layer, role, layout), "{tag} {dims:?}");
    }

    #[test]
    fn the_habits_of_the_frameworks() {
        use Role::{Activation, Bias, Input, Kernel, Other};
        check("conv1/weights", &[5, 5, 3, 64], "conv1", Kernel, Some("HWIO"));
        check("conv1/weights:0", &[5, 5, 3, 64], "conv1", Kernel, Some("HWIO"));
        check("conv1/biases", &[64], "conv1", Bias, None);
        check("conv1/Relu", &[2, 24, 24, 64], "conv1", Activation, Some("NHWC"));
        check("conv1/Relu_1:0", &[2, 24, 24, 64], "conv1", Activation, Some("NHWC"));
        check("sequential/conv2d_3/kernel:0", &[3, 3, 64, 64], "sequential/conv2d_3", Kernel, Some("HWIO"));
        check("conv2d/depthwise_kernel", &[3, 3, 16, 1], "conv2d", Kernel, Some("HWIM"));
        check("depthwise_conv2d_1/kernel", &[3, 3, 16, 1], "depthwise_conv2d_1", Kernel, Some("HWIM"));
        check("features.3.dwconv.weight", &[96, 1, 3, 3], "features.3.dwconv", Kernel, Some("OIHW"));
        check("conv2d_transpose/kernel", &[4, 4, 3, 64], "conv2d_transpose", Kernel, Some("HWOI"));
        check("up1.upconv.weight", &[64, 32, 2, 2], "up1.upconv", Kernel, Some("IOHW"));
        check("up_0/ConvTranspose_0/kernel", &[4, 4, 64, 16], "up_0/ConvTranspose_0", Kernel, Some("HWIO"));
        check("deconv1.0.weight", &[64, 32, 3, 3], "deconv1.0", Kernel, Some("IOHW"));
        check("deconv_block.conv1.weight", &[64, 32, 3, 3], "deconv_block.conv1", Kernel, Some("OIHW"));
        check("conv1/output_f16", &[3, 8, 8, 8], "conv1", Activation, Some("NHWC"));
        check("features.0.weight", &[64, 3, 7, 7], "features.0", Kernel, Some("OIHW"));
        check("features.0.bias", &[64], "features.0", Bias, None);
        check("layer1.0.conv2", &[8, 64, 56, 56], "layer1.0.conv2", Activation, Some("NCHW"));
        check("activations/conv1", &[1, 28, 28, 32], "conv1", Activation, Some("NHWC"));
        check("kernels/conv1", &[5, 5, 1, 32], "conv1", Kernel, Some("HWIO"));
        check("conv1/kernel", &[5, 5, 3, 48], "conv1", Kernel, Some("HWIO"));
        check("dense/kernel", &[1024, 10], "dense", Kernel, Some("IO"));
        check("fc.weight", &[10, 1024], "fc", Kernel, Some("OI"));
        check("input", &[1, 96, 96, 3], "input", Input, Some("NHWC"));
        check("conv1d/kernel", &[5, 16, 32], "conv1d", Kernel, Some("WIO"));
        check("conv3d/kernel", &[3, 3, 3, 1, 8], "conv3d", Kernel, Some("DHWIO"));
        check("embedding/table", &[7], "embedding/table", Other, None);
    }

    #[test]
    fn shapes_speak_where_names_do_not() {
        use Role::{Activation, Kernel};
        check("a", &[5, 5, 3, 64], "a", Kernel, Some("HWIO"));
        check("a", &[64, 3, 5, 5], "a", Kernel, Some("OIHW"));
        check("a", &[1, 56, 56, 64], "a", Activation, Some("NHWC"));
        check("a", &[1, 7, 7, 512], "a", Activation, Some("NHWC"));
        check("a", &[1, 64, 56, 56], "a", Activation, Some("NCHW"));
        check("a", &[1, 512, 7, 7], "a", Activation, Some("NCHW"));
        check("weight", &[5, 5, 3, 64], "weight", Kernel, Some("HWIO"));
        check("kernel", &[64, 3, 5, 5], "kernel", Kernel, Some("OIHW"));
    }

    /// What docs/meaning.md says about ambiguous shapes.
    #[test]
    fn ambiguous_shapes_have_stated_outcomes() {
        use Confidence::{Guess, Likely};
        use Role::{Activation, Bias, Kernel, Other};
        let check = |tag: &str, dims: &[i64], role: Role, layout: Option<(&str, Confidence)>| {
            let facts = facts(tag, &Shape::new(dims).unwrap());
            let found = facts.layout.as_ref().map(|(layout, reason)| (layout.name(), reason.confidence));
            assert_eq!((facts.role, found), (role, layout), "{tag} {dims:?}");
        };
        check("conv/kernel", &[3, 3, 3, 3], Kernel, Some(("HWIO", Guess)));
        check("a", &[3, 3, 3, 3], Kernel, Some(("HWIO", Guess)));
        check("conv.weight", &[3, 3, 3, 3], Kernel, Some(("OIHW", Guess)));
        check("conv/output", &[8, 8, 8, 8], Activation, Some(("NHWC", Guess)));
        check("conv.output", &[4, 4, 4, 4], Activation, Some(("NCHW", Guess)));
        check("conv/kernel", &[1, 1, 64, 64], Kernel, Some(("HWIO", Likely)));
        check("conv/kernel", &[64, 64, 1, 1], Kernel, Some(("OIHW", Likely)));
        check("conv/kernel", &[5, 5, 64, 3], Kernel, Some(("HWIO", Likely)));
        check("conv.weight", &[3, 64, 5, 5], Kernel, Some(("OIHW", Likely)));
        check("conv/kernel", &[24, 5, 5, 3], Kernel, Some(("OHWI", Likely)));
        check("conv.weight", &[24, 5, 5, 3], Kernel, Some(("OHWI", Guess)));
        check("upsample.0.weight", &[256, 64, 3, 3], Kernel, Some(("OIHW", Guess)));
        check("upconv1.weight", &[64, 64, 3, 3], Kernel, Some(("OIHW", Guess)));
        check("up.conv_transpose.weight", &[64, 32, 3, 3], Kernel, Some(("IOHW", Likely)));
        check("a.weight", &[64, 32, 4, 4], Kernel, Some(("OIHW", Guess)));
        check("a.weight", &[64, 32, 3, 3], Kernel, Some(("OIHW", Likely)));
        check("conv.0.weight", &[32, 1, 41, 11], Kernel, Some(("OIHW", Guess)));
        check("a", &[1, 7, 7, 512], Activation, Some(("NHWC", Guess)));
        check("a", &[32, 512, 7, 7], Activation, Some(("NCHW", Guess)));
        check("conv/bias", &[7], Bias, None);
        check("a", &[7], Other, None);
    }

    /// Who logged tensors.
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Writer {
        PyTorch,
        Other,
    }

    /// What is concluded about the tensors of a run.
    fn concluded(
        tensors: &[(&str, &[i64])],
        networks: &[Arc<network::Network>],
        writer: Writer,
    ) -> Vec<Facts> {
        let shapes: Vec<Shape> = tensors.iter().map(|(_, dims)| Shape::new(dims).unwrap()).collect();
        let item = |((tag, _), shape)| Item {
            tag,
            shape: Some(shape),
            is_picture: false,
            recorded: None,
            is_pytorchs: writer == Writer::PyTorch,
            is_optimizers: false,
        };
        let items: Vec<Item<'_>> = tensors.iter().copied().zip(&shapes).map(item).collect();
        conclude(".", &items, networks, &Rules::default())
    }

    /// What is concluded about tensors that were logged with a Keras model of one layer, conv1.
    fn beside_model(tensors: &[(&str, &[i64])]) -> Vec<Facts> {
        let json = br#"{"config": {"layers": [{"class_name": "Conv2D", "config":
            {"name": "conv1", "filters": 8, "kernel_size": [3, 3], "strides": [2, 2], "data_format": "channels_last"}}]}}"#;
        let networks = [Arc::new(keras::network(json).unwrap())];
        concluded(tensors, &networks, Writer::Other)
    }

    #[test]
    fn a_models_layer_is_one_layer_of_the_log() {
        let kernel: &[i64] = &[3, 3, 3, 8];
        let has_operation = |facts: &Facts| facts.operation.is_some();
        let facts = beside_model(&[
            ("conv1/kernel", kernel),
            ("gradients/conv1/kernel", kernel),
            ("conv1/bias", &[8]),
        ]);
        let roles: Vec<Role> = facts.iter().map(|facts| facts.role).collect();
        assert_eq!(roles, [Role::Kernel, Role::Other, Role::Bias]);
        assert_eq!(facts[0].role_from.confidence, Confidence::Sure);
        assert!(has_operation(&facts[0]) && facts[2].layer == "conv1");
        // Either may be the layer of the model, so neither is used.
        let facts =
            beside_model(&[("generator/conv1/kernel", kernel), ("discriminator/conv1/kernel", kernel)]);
        assert!(!facts.iter().any(has_operation) && facts[0].layer != facts[1].layer);
        // The only candidate is used, but it is not sure.
        let facts = beside_model(&[("net/conv1/kernel", kernel), ("net/conv1/output", &[2, 9, 9, 8])]);
        assert!(facts.iter().all(has_operation));
        assert_eq!(facts[0].layout.as_ref().map(|(_, reason)| reason.confidence), Some(Confidence::Likely));
    }

    #[test]
    fn layers_settle_one_another_by_their_channels() {
        use Confidence::{Guess, Likely};
        let check = |tensors: &[(&str, &[i64])], expected: &[(&str, Confidence)]| {
            let facts = concluded(tensors, &[], Writer::PyTorch);
            let found: Vec<_> = facts.iter().filter_map(|facts| facts.layout.as_ref()).collect();
            let found: Vec<_> =
                found.iter().map(|(layout, reason)| (layout.name(), reason.confidence)).collect();
            assert_eq!(found, expected, "{tensors:?}");
        };
        // PyTorch's DCGAN, logged with only its kernels, and with its normalisations too.
        let generator: [(&str, &[i64]); 3] = [
            ("g.main.0.weight", &[100, 64, 4, 4]),
            ("g.main.3.weight", &[64, 32, 4, 4]),
            ("g.main.6.weight", &[32, 3, 4, 4]),
        ];
        check(&generator, &[("IOHW", Likely); 3]);
        let norms: [(&str, &[i64]); 2] = [("g.main.1.weight", &[64]), ("g.main.4.running_mean", &[32])];
        check(&[&generator[..], &norms].concat(), &[("IOHW", Likely); 3]);
        let discriminator: [(&str, &[i64]); 3] = [
            ("d.main.0.weight", &[32, 3, 4, 4]),
            ("d.main.2.weight", &[64, 32, 4, 4]),
            ("d.main.5.weight", &[1, 64, 4, 4]),
        ];
        check(&discriminator, &[("OIHW", Likely); 3]);
        // Names do not define an order: the last block may come first.
        let decoder: [(&str, &[i64]); 3] = [
            ("dec1.weight", &[32, 64, 3, 3]),
            ("dec2.weight", &[64, 128, 3, 3]),
            ("dec3.weight", &[128, 256, 3, 3]),
        ];
        check(&decoder, &[("OIHW", Guess); 3]);
    }

    /// Shapes of Flax: `jax.pmap` over 8 devices, `nn.scan` over 12 blocks; of `torch.func.stack_module_state`; of Keras.
    #[test]
    fn an_axis_in_front_that_counts_copies_or_layers_is_none_of_the_convolution() {
        use Confidence::Likely;
        use Role::{Activation, Bias, Kernel, Other};
        type Expected<'a> = (&'a str, &'a [i64], Role, Option<&'a str>, bool);
        let check = |tensors: &[Expected<'_>]| {
            let logged: Vec<(&str, &[i64])> = tensors.iter().map(|(tag, dims, ..)| (*tag, *dims)).collect();
            for (facts, (tag, dims, role, layout, is_told)) in
                concluded(&logged, &[], Writer::Other).iter().zip(tensors)
            {
                let found = facts.layout.as_ref().map(|(layout, _)| layout.name());
                let is_stack =
                    facts.contradictions.iter().any(|text| text.contains("copies, layers or blocks"));
                assert_eq!(
                    (facts.role, found, is_stack),
                    (*role, *layout, *is_told),
                    "{tag} {dims:?} {facts:?}"
                );
                assert!(
                    !is_told || facts.layout.as_ref().is_none_or(|(_, reason)| reason.confidence == Likely)
                );
            }
        };
        check(&[
            ("Conv_0/kernel", &[8, 3, 3, 3, 64], Kernel, Some("DHWIO"), true),
            ("Conv_0/bias", &[8, 64], Bias, None, true),
            ("Conv_1/kernel", &[8, 3, 3, 64, 64], Kernel, Some("DHWIO"), true),
            ("Conv_1/bias", &[8, 64], Bias, None, true),
            ("Conv_2/kernel", &[8, 1, 1, 64, 256], Kernel, Some("DHWIO"), true),
            ("BatchNorm_0/scale", &[8, 64], Other, None, false),
            ("BatchNorm_0/bias", &[8, 64], Other, None, false),
            ("Conv1D_0/kernel", &[8, 3, 64, 64], Kernel, Some("HWIO"), true),
            ("Dense_0/kernel", &[8, 256, 10], Kernel, Some("WIO"), true),
            ("Dense_0/bias", &[8, 10], Bias, None, true),
            ("Conv_0/output", &[8, 16, 28, 28, 64], Activation, Some("NDHWC"), true),
        ]);
        check(&[
            ("stem/kernel", &[7, 7, 3, 64], Kernel, Some("HWIO"), false),
            ("stem/bias", &[64], Bias, None, false),
            ("blocks/conv1/kernel", &[12, 3, 3, 64, 64], Kernel, Some("DHWIO"), true),
            ("blocks/norm1/scale", &[12, 64], Other, None, false),
            ("blocks/norm1/bias", &[12, 64], Other, None, false),
            ("blocks/conv2/kernel", &[12, 3, 3, 64, 64], Kernel, Some("DHWIO"), true),
            ("blocks/norm2/scale", &[12, 64], Other, None, false),
            ("blocks/norm2/bias", &[12, 64], Other, None, false),
            ("wide/kernel", &[12, 12, 3, 64], Kernel, Some("HWIO"), false),
            ("volume/kernel", &[3, 3, 3, 64, 10], Kernel, Some("DHWIO"), false),
        ]);
        check(&[
            ("conv1.weight", &[4, 16, 3, 3, 3], Kernel, None, true),
            ("conv1.bias", &[4, 16], Bias, None, true),
            ("bn1.weight", &[4, 16], Other, None, false),
            ("bn1.bias", &[4, 16], Other, None, false),
        ]);
        check(&[
            ("gru/gru_cell/kernel", &[2, 96], Kernel, Some("IO"), false),
            ("gru/gru_cell/recurrent_kernel", &[32, 96], Kernel, Some("IO"), false),
            ("gru/gru_cell/bias", &[2, 96], Bias, None, false),
            ("attention/query/kernel", &[8, 8, 64], Kernel, None, false),
            ("attention/query/bias", &[8, 64], Bias, None, false),
            ("attention/key/kernel", &[8, 8, 64], Kernel, None, false),
            ("attention/key/bias", &[8, 64], Bias, None, false),
            ("conv/kernel", &[8, 8, 3, 32], Kernel, Some("HWIO"), false),
        ]);
        let normalised = [0, 1, 2, 3]
            .map(|idx| [format!("{idx}.0.weight"), format!("{idx}.1.weight"), format!("{idx}.1.bias")]);
        let normalised = normalised.each_ref().map(|[kernel, scale, shift]| -> [Expected<'_>; 3] {
            [
                (kernel, &[64, 64, 5], Kernel, Some("OIW"), false),
                (scale, &[64, 128], Other, None, false),
                (shift, &[64, 128], Other, None, false),
            ]
        });
        check(normalised.as_flattened());
    }

    /// A scan over the second axis, as T5X writes it: no layout has such an axis, so no layout is "likely".
    #[test]
    fn a_bias_with_an_axis_that_is_not_the_kernels_first_leaves_it_open() {
        let facts =
            concluded(&[("conv/kernel", &[3, 4, 3, 64, 64]), ("conv/bias", &[64, 4])], &[], Writer::Other);
        assert_eq!(facts[0].layout.as_ref().map(|(_, reason)| reason.confidence), Some(Confidence::Guess));
    }

    #[test]
    fn a_layers_own_bias_goes_before_those_of_modules_whose_names_end_alike() {
        let facts = concluded(
            &[("conv.weight", &[64, 32, 3, 3]), ("conv.bias", &[64]), ("stem.conv.bias", &[32])],
            &[],
            Writer::Other,
        );
        assert_eq!(facts[0].layout.as_ref().map(|(layout, _)| layout.name()), Some("OIHW"));
    }

    #[test]
    fn what_pytorch_keeps_in_the_place_of_a_kernel_is_said() {
        use Role::{Kernel, Other};
        let check = |tensors: &[(&str, &[i64])], expected: &[(Role, bool)]| {
            let facts = concluded(tensors, &[], Writer::Other);
            let found: Vec<_> =
                facts.iter().map(|facts| (facts.role, !facts.contradictions.is_empty())).collect();
            assert_eq!(found, expected, "{tensors:?}");
        };
        let of = |word: &str| format!("c.parametrizations.weight.{word}");
        let (kernel, scale): (&[i64], &[i64]) = (&[16, 8, 3, 3], &[16, 1, 1, 1]);
        check(&[(&of("original0"), scale), (&of("original1"), kernel)], &[(Other, false), (Kernel, true)]);
        check(&[(&of("original"), kernel)], &[(Kernel, true)]);
        check(&[("c.weight_g", scale), ("c.weight_v", kernel)], &[(Other, false), (Kernel, true)]);
        check(&[("c.weight_orig", kernel), ("c.weight_mask", kernel)], &[(Kernel, true), (Other, false)]);
        check(&[("c.weight", kernel)], &[(Kernel, false)]);
    }

    #[test]
    fn a_layers_tensors_settle_one_another() {
        let check = |tensors: &[(&str, &[i64])], expected: &[Option<&str>]| {
            let facts = concluded(tensors, &[], Writer::Other);
            let found: Vec<_> =
                facts.iter().map(|facts| facts.layout.as_ref().map(|(layout, _)| layout.name())).collect();
            assert_eq!(found, expected);
            assert!(facts.iter().all(|other| other.layer == facts[0].layer), "{tensors:?}");
        };
        // A word for enlarging, with a bias that supports it and one that contradicts it.
        check(&[("upconv.weight", &[64, 32, 3, 3]), ("upconv.bias", &[64])], &[Some("OIHW"), None]);
        check(&[("upconv.weight", &[64, 32, 3, 3]), ("upconv.bias", &[32])], &[Some("IOHW"), None]);
        // A square batch of square maps, decided by the kernel; and a kernel with short axes, decided by the bias.
        check(&[("c/kernel", &[3, 3, 4, 6]), ("c/output", &[8, 6, 6, 8])], &[Some("HWIO"), Some("NCHW")]);
        check(&[("c/kernel", &[3, 3, 3, 5]), ("c/bias", &[3])], &[Some("HWOI"), None]);
        check(&[("c/weights", &[5, 3, 3, 3]), ("c/biases", &[5])], &[Some("OIHW"), None]);
        check(
            &[("up.weight", &[8, 4, 2, 2]), ("up.bias", &[4]), ("up", &[2, 4, 9, 9])],
            &[Some("IOHW"), None, Some("NCHW")],
        );
        check(
            &[("tower_0/conv1/Relu", &[2, 9, 9, 7]), ("conv1/weights", &[3, 3, 3, 7])],
            &[Some("NHWC"), Some("HWIO")],
        );
    }
}
