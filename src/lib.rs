//! ConvScope: convolution kernels and activations out of TensorFlow event files, as pictures.

pub mod proto;
pub mod recipes;
pub mod types;

pub mod source;

pub mod record;

pub mod event;

pub mod model;
pub mod tensor;

pub mod reader;

pub mod watch;

pub mod catalog;
pub mod load;

pub mod render;
pub mod stats;

mod lookup;

mod draw;
pub mod shelf;

mod answers;
mod listing;

pub mod export;
pub mod server;

pub mod cli;
pub mod daemon;
pub mod demo;
pub mod memory;
pub mod terminal;
