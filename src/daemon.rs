//! Starts the parts in order, announces the address, and stops them when it is told to.
//!
//! On SIGINT or SIGTERM the listener closes, open event streams end, other answers get half a second to end, and the ingest thread,
//! which only reads, is waited for very briefly.

use std::{
    io::{self, Read},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, mpsc},
    thread,
};

use anyhow::Context;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::{
    net::{TcpListener, TcpSocket, lookup_host},
    runtime::Handle,
    signal::unix,
    sync::oneshot,
};

use crate::{
    catalog::{ingest, shelf::ShelfState},
    load::Loader,
    memory,
    server::{self, Settings},
    shelf::{Keeper, Limits, ShelfDirectory},
    source::Source,
    terminal::tell,
};

const OPEN_MAX: u64 = 10_240;
/// How many connections may wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 4096;

/// How the daemon is reached and when it stops.
#[derive(Clone, Debug)]
pub struct Listen {
    /// A name or an address of this machine.
    pub host: String,
    /// 0 takes a free one.
    pub port: u16,
    /// Where the port is written once the socket listens.
    pub port_file: Option<PathBuf>,
    /// Whether to open a browser.
    pub open: bool,
    /// Whether to stop when standard input ends.
    pub exit_with_stdin: bool,
}

/// Whether copies of kernels are kept.
#[derive(Debug)]
pub enum Shelf {
    /// In this directory, within these limits.
    On(ShelfDirectory, Limits),
    /// Nobody wants them.
    Off,
    /// There is no place for them; a sentence says why.
    Impossible(String),
}

impl Shelf {
    /// How it is before anything is known of its directory.
    fn state(&self) -> ShelfState {
        match self {
            Self::On(directory, limits) => Keeper::state_at_first(directory, *limits),
            Self::Off => ShelfState::default(),
            Self::Impossible(trouble) => {
                ShelfState { trouble: Some(trouble.clone()), ..ShelfState::default() }
            }
        }
    }
}

/// The socket cannot listen.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CannotBind(String);

/// Serves `source` until SIGINT, SIGTERM or, where asked for, the end of standard input.
///
/// # Errors
/// [`CannotBind`] when the socket cannot listen; others when the system gives no threads or the port file cannot be written.
pub fn run(
    source: Arc<dyn Source>,
    mut options: ingest::Options,
    listen: &Listen,
    settings: Settings,
    shelf: Shelf,
) -> anyhow::Result<()> {
    options.shelf = shelf.state();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("the system gives no threads")?;
    let listener = runtime.block_on(bind(&listen.host, listen.port))?;
    let address = listener.local_addr()?;
    // Before the port is known to anybody, so that no signal is missed.
    let stop = runtime.block_on(async { stop_signal(listen.exit_with_stdin) })?;
    let max_bytes = options.max_payload;
    let (catalog, running) = ingest::start(Arc::clone(&source), options)?;
    let failed = running.failed();
    let stop = async {
        tokio::select! {
            () = stop => {}
            () = failed => {}
        }
    };
    if let Some(file) = &listen.port_file {
        write_whole(file, &format!("{}\n", address.port()))
            .with_context(|| format!("{} cannot be written", file.display()))?;
    }
    let url = url(address, settings.token.as_deref());
    tell(&format!("ConvScope shows {} at {url}", settings.logdir));
    if let Some(warning) = exposure(address, settings.token.is_some()) {
        tell(&format!("convscope: {warning}"));
    }
    if listen.open {
        open_browser(&url);
    }
    let loader = Loader { catalog, source, max_bytes };
    keep(shelf, &loader, runtime.handle())?;
    let served = runtime.block_on(server::serve(listener, loader, settings, stop));
    // Threads that still draw are not waited for: nobody wants their pictures.
    runtime.shutdown_background();
    let failure = running.failure();
    drop(running);
    served?;
    // A supervisor can start the program again; going on would show old steps as the newest ones.
    failure.map_or(Ok(()), |reason| Err(anyhow::anyhow!(reason)))
}

/// Starts the thread that keeps copies of kernels.
fn keep(shelf: Shelf, loader: &Loader, runtime: &Handle) -> io::Result<()> {
    let (directory, limits) = match shelf {
        Shelf::On(directory, limits) => (directory, limits),
        Shelf::Off => return Ok(()),
        Shelf::Impossible(trouble) => {
            tell(&format!("convscope: no kernels of checkpoints are kept: {trouble}"));
            return Ok(());
        }
    };
    let mut keeper = Keeper::new(directory, limits, loader.clone());
    let (notify, notified) = mpsc::sync_channel(1);
    let mut changes = loader.catalog.changes();
    runtime.spawn(async move {
        while changes.changed().await.is_ok() {
            if let Err(mpsc::TrySendError::Disconnected(())) = notify.try_send(()) {
                return;
            }
        }
    });
    let work = move || {
        let mut wait = keeper.turn();
        tell(&shelf_line(keeper.state()));
        // The channel is closed when the program ends.
        while notified.recv_timeout(wait) != Err(mpsc::RecvTimeoutError::Disconnected) {
            wait = keeper.turn();
        }
    };
    thread::Builder::new().name("shelf".into()).spawn(work)?;
    Ok(())
}

fn shelf_line(state: &ShelfState) -> String {
    let dir = state.dir.as_deref().unwrap_or_else(|| Path::new("")).display();
    let (bytes, most) = (state.bytes as f64 / f64::from(1 << 20), state.most_bytes >> 20);
    format!(
        "Kernels of checkpoints are kept in {dir}: {bytes:.1} MiB now, at most {most} MiB (--no-shelf turns it off)"
    )
}

/// Raises the number of descriptors that this process may have as far as it may, and gives it.
#[must_use]
pub fn most_descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    // macOS names no limit and takes none above its OPEN_MAX.
    let wanted = [limit.maximum, limit.maximum.map_or(Some(OPEN_MAX), |most| Some(most.min(OPEN_MAX)))];
    let raised = wanted
        .into_iter()
        .filter(|wanted| wanted.is_none() || *wanted > limit.current)
        .find(|wanted| setrlimit(Resource::Nofile, Rlimit { current: *wanted, ..limit }).is_ok());
    raised.unwrap_or(limit.current).unwrap_or(u64::MAX)
}

/// Listens on the first address of this name on which that is possible.
async fn listen(host: &str, port: u16) -> io::Result<TcpListener> {
    let mut failure = io::Error::new(io::ErrorKind::InvalidInput, "the name has no address");
    for address in lookup_host((host, port)).await? {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        match socket.bind(address).and_then(|()| socket.listen(BACKLOG)) {
            Ok(listener) => return Ok(listener),
            Err(error) => failure = error,
        }
    }
    Err(failure)
}

async fn bind(host: &str, port: u16) -> Result<TcpListener, CannotBind> {
    let error = match listen(host, port).await {
        Ok(listener) => return Ok(listener),
        Err(error) => error,
    };
    if error.kind() != io::ErrorKind::AddrInUse {
        return Err(CannotBind(format!("{host}:{port} cannot be listened on: {error}")));
    }
    for next in port.saturating_add(1)..=u16::MAX {
        if listen(host, next).await.is_ok() {
            return Err(CannotBind(format!(
                "port {port} is taken: the next free one is {next}, as in --port {next}"
            )));
        }
    }
    Err(CannotBind(format!("port {port} is taken, and so are all above it: --port 0 takes a free one")))
}

fn url(address: SocketAddr, token: Option<&str>) -> String {
    // Nobody can open 0.0.0.0; this machine answers there too.
    let ip = if address.ip().is_unspecified() { IpAddr::V4(Ipv4Addr::LOCALHOST) } else { address.ip() };
    let query = token.and_then(|token| serde_urlencoded::to_string([("token", token)]).ok());
    format!(
        "http://{}/{}",
        SocketAddr::new(ip, address.port()),
        query.map(|query| format!("?{query}")).unwrap_or_default()
    )
}

/// The warning that is due if other machines can connect.
fn exposure(address: SocketAddr, has_token: bool) -> Option<String> {
    let who = if has_token {
        "whoever knows the token can look, and there is no encryption"
    } else {
        "everybody who reaches it can look: --token-file FILE asks them for a token"
    };
    let is_loopback = address.ip().to_canonical().is_loopback();
    (!is_loopback).then(|| format!("other machines can reach {address}; {who}"))
}

/// Writes under a temporary name first, so that nobody reads half of the text.
fn write_whole(file: &std::path::Path, text: &str) -> io::Result<()> {
    let dir = file.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(std::path::Path::new("."));
    let mut whole = tempfile::NamedTempFile::new_in(dir)?;
    io::Write::write_all(&mut whole, text.as_bytes())?;
    whole.persist(file)?;
    Ok(())
}

fn stop_signal(exit_with_stdin: bool) -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = unix::signal(unix::SignalKind::interrupt())?;
    let mut terminate = unix::signal(unix::SignalKind::terminate())?;
    let (ended, input_ended) = oneshot::channel::<()>();
    let ended = if exit_with_stdin {
        thread::Builder::new().name("stdin".into()).spawn(move || {
            // An input that cannot be read has ended as well.
            let _ = io::copy(&mut io::stdin().lock().take(u64::MAX), &mut io::sink());
            let _ = ended.send(());
        })?;
        None
    } else {
        Some(ended)
    };
    Ok(async move {
        // Kept, so that its end is not taken for that of the input.
        let _ended = ended;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = input_ended => {}
        }
        tracing::info!("stopping");
    })
}

fn open_browser(url: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut browser = Command::new(opener);
    for name in memory::own_variables() {
        browser.env_remove(name);
    }
    let started = browser.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    if let Err(error) = started {
        tracing::warn!(%error, opener, "no browser was opened");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_others_reach_are_told_of() {
        let told = |address: &str, has_token| exposure(address.parse().unwrap(), has_token);
        for own in ["127.0.0.1:6007", "127.1.2.3:6007", "[::1]:6007", "[::ffff:127.0.0.1]:6007"] {
            assert_eq!(told(own, false), None, "{own}");
        }
        for open in ["0.0.0.0:6007", "[::]:6007", "10.0.0.1:6007"] {
            assert!(
                told(open, false).is_some_and(|words| words.contains("everybody") && words.contains(open))
            );
            assert!(told(open, true).is_some_and(|words| words.contains("whoever knows the token")));
        }
    }
}
