//! The parts together: real files, the real program, truth from TensorFlow, NumPy and matplotlib.

mod architectures;
mod cli;
mod connections;
mod daemon;
mod decode;
mod descriptors;
mod doors;
mod empty;
mod endurance;
mod export;
mod film;
mod fixtures;
mod floors;
mod http;
mod ingest;
mod logs;
mod meaning;
mod npy;
mod numbers;
mod numbers_http;
mod pictures;
mod printable;
mod random_pictures;
mod run_range;
mod slow;
mod verify;
