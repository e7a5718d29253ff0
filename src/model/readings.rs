//! Tensors of real networks that were not used to set the weights -> what is concluded about them: correct, or a guess.

use super::{
    Confidence, Facts,
    conclude::{Item, conclude},
    role::Role,
    rules::Rules,
};
use crate::tensor::shape::Shape;

type Tensor<'a> = (&'a str, &'a [i64]);

fn concluded(tensors: &[Tensor<'_>]) -> Vec<Facts> {
    let shapes: Vec<Shape> =
        tensors.iter().map(|(_, dims)| Shape::new(dims).expect("these are shapes")).collect();
    let items: Vec<Item<'_>> = tensors
        .iter()
        .zip(&shapes)
        .map(|((tag, _), shape)| Item {
            tag,
            shape: Some(shape),
            is_picture: false,
            recorded: None,
            is_pytorchs: false,
            is_optimizers: false,
        })
        .collect();
    conclude(".", &items, &[], &Rules::default())
}

fn layout_of(facts: &Facts) -> Option<(&'static str, Confidence)> {
    facts.layout.as_ref().map(|(layout, reason)| (layout.name(), reason.confidence))
}

/// What is concluded about the first of these tensors.
fn first(tensors: &[Tensor<'_>]) -> Option<(&'static str, Confidence)> {
    layout_of(&concluded(tensors)[0])
}

const GUESS: Confidence = Confidence::Guess;
const LIKELY: Confidence = Confidence::Likely;

#[test]
fn short_words_name_transposed_convolutions() {
    let square: [Tensor<'_>; 4] = [
        ("decoder.3.conv_tr.weight", &[16, 16, 8, 1]),
        ("decoder.3.conv_tr.bias", &[16]),
        ("decoder.3.rewrite.weight", &[32, 16, 3, 3]),
        ("decoder.3.rewrite.bias", &[32]),
    ];
    assert_eq!(first(&square), Some(("IOHW", LIKELY)));
    let alone: [Tensor<'_>; 2] =
        [("d.1.conv_tr.weight", &[384, 192, 8, 1]), ("d.1.rewrite.weight", &[768, 384, 3, 3])];
    assert_eq!(first(&alone).map(|(layout, _)| layout), Some("IOHW"));
    for word in ["convtr", "conv_trans", "convtrans", "trans_conv", "transconv"] {
        let tag = format!("a.{word}.weight");
        assert_eq!(first(&[(&tag, &[64, 32, 8])]), Some(("IOW", LIKELY)), "{word}");
    }
    for word in ["conv_t", "convt"] {
        let tag = format!("a.{word}.weight");
        assert_eq!(first(&[(&tag, &[64, 32, 3])]).map(|(_, confidence)| confidence), Some(GUESS), "{word}");
    }
}

#[test]
fn one_number_for_all_channels_is_no_number_of_channels() {
    let block: [Tensor<'_>; 7] = [
        ("m.0.net.3.weight", &[512, 1, 3]),
        ("m.0.net.3.bias", &[512]),
        ("m.0.net.4.weight", &[1]),
        ("m.0.net.0.weight", &[512, 128, 1]),
        ("m.0.net.0.bias", &[512]),
        ("m.0.res_out.weight", &[128, 512, 1]),
        ("m.0.res_out.bias", &[128]),
    ];
    assert_eq!(first(&block).map(|(layout, _)| layout), Some("OIW"));
}

#[test]
fn a_normalisation_right_behind_has_the_outputs() {
    let behind: [Tensor<'_>; 3] = [
        ("u.upsample.0.weight", &[512, 256, 1, 1]),
        ("u.upsample.1.weight", &[256]),
        ("u.upsample.1.bias", &[256]),
    ];
    assert_eq!(first(&behind).map(|(layout, _)| layout), Some("IOHW"));
    let behind: [Tensor<'_>; 2] = [("u.main.0.weight", &[512, 256, 1, 1]), ("u.main.1.weight", &[256])];
    assert_eq!(first(&behind), Some(("IOHW", GUESS)));
    let usual: [Tensor<'_>; 3] = [
        ("u.downsample.0.weight", &[512, 256, 1, 1]),
        ("u.downsample.1.weight", &[512]),
        ("u.downsample.1.bias", &[512]),
    ];
    assert_eq!(first(&usual), Some(("OIHW", LIKELY)));
}

#[test]
fn a_square_kernel_is_as_open_as_those_beside_it() {
    let decoder: [Tensor<'_>; 4] = [
        ("decoder.0.weight", &[128, 128, 3, 3]),
        ("decoder.3.weight", &[128, 128, 4, 4]),
        ("decoder.12.weight", &[128, 1, 12, 12]),
        ("decoder.12.bias", &[1]),
    ];
    assert_eq!(first(&decoder).map(|(_, confidence)| confidence), Some(GUESS));
    let encoder: [Tensor<'_>; 3] = [
        ("features.2.weight", &[64, 64, 3, 3]),
        ("features.0.weight", &[64, 3, 3, 3]),
        ("features.5.weight", &[128, 64, 3, 3]),
    ];
    assert_eq!(first(&encoder), Some(("OIHW", LIKELY)));
    let up: [Tensor<'_>; 3] = [
        ("psp.up_modules.0.weight", &[1, 1, 8, 8, 1]),
        ("conv1.weight", &[64, 32, 3, 3, 3]),
        ("conv2.weight", &[64, 64, 3, 3, 3]),
    ];
    assert_eq!(first(&up).map(|(_, confidence)| confidence), Some(GUESS));
    assert_eq!(first(&[("upper.0.weight", &[64, 64, 3, 3])]), Some(("OIHW", LIKELY)));
}

#[test]
fn a_word_in_front_of_biases_too_says_nothing_of_one_tensor() {
    let wrapped: [Tensor<'_>; 5] = [
        ("weights/cls_token", &[1, 1, 768]),
        ("weights/pos_embedding", &[1, 17, 64]),
        ("weights/conv1/weight", &[64, 3, 3, 3]),
        ("weights/conv1/bias", &[64]),
        ("weights/fc/weight", &[768, 64]),
    ];
    let facts = concluded(&wrapped);
    let roles: Vec<Role> = facts.iter().map(|facts| facts.role).collect();
    assert_eq!(roles, [Role::Other, Role::Other, Role::Kernel, Role::Bias, Role::Kernel]);
    assert_eq!(layout_of(&facts[2]), Some(("OIHW", LIKELY)));
    let own: [Tensor<'_>; 2] = [("weights/conv1", &[5, 5, 1, 32]), ("biases/conv1", &[32])];
    assert_eq!(concluded(&own)[0].role, Role::Kernel);
}

#[test]
fn a_bias_with_axes_for_the_window_is_as_long_as_the_outputs() {
    let depthwise: [Tensor<'_>; 6] = [
        ("layers.2.weight", &[64, 1, 3]),
        ("layers.2.bias", &[64, 1]),
        ("layers.0.weight", &[64, 12, 3]),
        ("layers.0.bias", &[64, 1]),
        ("layers.3.weight", &[128, 64, 1]),
        ("layers.3.bias", &[128, 1]),
    ];
    let facts = concluded(&depthwise);
    let layouts: Vec<_> = facts.iter().filter_map(layout_of).map(|(layout, _)| layout).collect();
    assert_eq!(layouts, ["OIW"; 3]);
    assert!(!facts.iter().any(|facts| facts.contradictions.iter().any(|text| text.contains("copies"))));
    let slashes: [Tensor<'_>; 2] = [("layers/2/weight", &[64, 1, 3]), ("layers/2/bias", &[64, 1])];
    assert_eq!(first(&slashes).map(|(layout, _)| layout), Some("OIW"));
    let up: [Tensor<'_>; 2] = [("up.0.weight", &[32, 64, 2, 2]), ("up.0.bias", &[32, 1, 1])];
    assert_eq!(first(&up), Some(("OIHW", LIKELY)));
    // A stack of a layer with one output, beside a stack of a layer with more outputs.
    let stacked: [Tensor<'_>; 6] = [
        ("head/kernel", &[8, 256, 1]),
        ("head/bias", &[8, 1]),
        ("body/kernel", &[8, 64, 256]),
        ("body/bias", &[8, 256]),
        ("body2/kernel", &[8, 256, 256]),
        ("body2/bias", &[8, 256]),
    ];
    assert_eq!(first(&stacked), Some(("WIO", LIKELY)));
}

#[test]
fn haikus_stacks_have_their_biases_and_its_normalisations_their_shifts() {
    let stack: [Tensor<'_>; 2] = [("stack/l/linear/w", &[6, 256, 64]), ("stack/l/linear/b", &[6, 64])];
    let facts = concluded(&stack);
    assert_eq!((facts[1].role, layout_of(&facts[1])), (Role::Bias, None));
    assert_eq!(layout_of(&facts[0]), Some(("WIO", LIKELY)));
    assert!(facts[0].contradictions.iter().any(|text| text.contains("copies, layers or blocks")));
    let shift: [Tensor<'_>; 1] = [("net/batchnorm_0/offset", &[1, 1, 1, 64])];
    assert_eq!(concluded(&shift)[0].role, Role::Other);
}

#[test]
fn a_table_has_no_outputs() {
    for name in ["embedding", "freq_emb.embedding", "denoising_class_embed", "attn.rel_pos_emb"] {
        let tag = format!("{name}.weight");
        let tensors: [Tensor<'_>; 3] =
            [(&tag, &[512, 16]), ("conv1.weight", &[64, 32, 3, 3]), ("conv2.weight", &[64, 64, 3, 3])];
        assert_eq!(first(&tensors), Some(("OI", GUESS)), "{name}");
    }
    let with_bias: [Tensor<'_>; 2] = [("time_embed.weight", &[512, 128]), ("time_embed.bias", &[512])];
    assert_eq!(first(&with_bias), Some(("OI", LIKELY)));
}

#[test]
fn what_puts_the_heads_of_an_attention_together_is_no_convolution() {
    let attention: [Tensor<'_>; 2] =
        [("mha/attention_output/kernel", &[4, 16, 64]), ("mha/attention_output/bias", &[64])];
    assert_eq!(first(&attention), None);
}

#[test]
fn letters_put_no_normalisation_before_its_convolution() {
    for norm in ["bn", "adn.N"] {
        let (scale, shift) = (format!("model.0.{norm}.weight"), format!("model.0.{norm}.bias"));
        let stem: [Tensor<'_>; 3] =
            [("model.0.conv.weight", &[16, 3, 6, 6]), (&scale, &[16]), (&shift, &[16])];
        assert_eq!(first(&stem).map(|(layout, _)| layout), Some("OIHW"), "{norm}");
    }
}

#[test]
fn a_window_is_not_longer_than_the_channels_are_many() {
    let layers: [Tensor<'_>; 3] = [
        ("DecodeLayers.2.weight", &[512, 256, 33]),
        ("DecodeLayers.1.weight", &[1024, 256, 33]),
        ("DecodeLayers.3.weight", &[512, 128, 33]),
    ];
    let said = first(&layers);
    assert!(said == Some(("OIW", GUESS)) || said == Some(("IOW", GUESS)), "{said:?}");
    assert_eq!(first(&[("a.0.weight", &[9, 1, 1, 63])]), Some(("OIHW", GUESS)));
}

#[test]
fn embeddings_of_patches_are_first_convolutions() {
    // timm; CLIP; Hugging Face's ViT, in PyTorch and in TensorFlow; Qwen2-VL, over time as well; diffusers; Flax.
    let words: [(Tensor<'_>, &str); 7] = [
        (("patch_embed.proj.weight", &[192, 3, 14, 14]), "OIHW"),
        (("vision_model.embeddings.patch_embedding.weight", &[96, 3, 32, 32]), "OIHW"),
        (("vit.embeddings.patch_embeddings.projection.weight", &[192, 3, 16, 16]), "OIHW"),
        (("vit/embeddings/patch_embeddings/projection/kernel", &[16, 16, 3, 192]), "HWIO"),
        (("visual.patch_embed.proj.weight", &[1280, 3, 2, 14, 14]), "OIDHW"),
        (("conv_in.weight", &[64, 4, 3, 3]), "OIHW"),
        (("params/embedding/kernel", &[16, 16, 3, 192]), "HWIO"),
    ];
    for (tensor, layout) in words {
        let facts = concluded(&[tensor]).remove(0);
        assert_eq!((facts.role, layout_of(&facts)), (Role::Kernel, Some((layout, LIKELY))), "{}", tensor.0);
        assert!(facts.is_first, "{}", tensor.0);
    }
    let table = concluded(&[("embedding.weight", &[512, 64])]).remove(0);
    assert!(!table.is_first && layout_of(&table) == Some(("OI", GUESS)));
}

#[test]
fn the_order_of_letters_puts_no_normalisation_before_its_convolution() {
    // The beginning of torchvision's ResNet, and a block that makes the map smaller.
    let resnet: [Tensor<'_>; 9] = [
        ("conv1.weight", &[64, 3, 7, 7]),
        ("bn1.weight", &[64]),
        ("bn1.bias", &[64]),
        ("layer2.0.conv1.weight", &[128, 64, 3, 3]),
        ("layer2.0.bn1.weight", &[128]),
        ("layer2.0.conv2.weight", &[128, 128, 3, 3]),
        ("layer2.0.bn2.weight", &[128]),
        ("fc.weight", &[1000, 512]),
        ("fc.bias", &[1000]),
    ];
    let facts = concluded(&resnet);
    assert_eq!(layout_of(&facts[0]), Some(("OIHW", LIKELY)));
    assert_eq!(layout_of(&facts[3]), Some(("OIHW", LIKELY)));
    assert!(facts[0].contradictions.is_empty(), "{:?}", facts[0]);
}
