//! The program `convscope`; see [`convscope::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    convscope::cli::main()
}
