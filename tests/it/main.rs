//! The parts together: real files, the real program, truth from TensorFlow, NumPy and matplotlib.

mod cli;
mod daemon;
mod http;
mod ingest;
mod logs;
