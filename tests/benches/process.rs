//! Another process, and what the system counts for it.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use kube::Config;
use kube::config::{KubeConfigOptions, Kubeconfig};

/// The root that a kubeconfig points to.
pub(crate) async fn config_of(kubeconfig: &Path) -> Config {
    let kubeconfig = Kubeconfig::read_from(kubeconfig).unwrap();
    let options = KubeConfigOptions::default();
    Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .unwrap()
}

/// Something is wrong if nothing is said for so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(1_800);
/// In so long everybody ends who is told to.
const END: Duration = Duration::from_secs(60);

/// Another process, which is told and says a line at a time.
pub(crate) struct Other {
    pub(crate) child: Child,
    pub(crate) told: Option<ChildStdin>,
    said: Receiver<String>,
}

impl Other {
    /// Starts it.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let told = child.stdin.take();
        let said = BufReader::new(child.stdout.take().unwrap());
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for line in said.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Self {
            child,
            told,
            said: receiver,
        }
    }

    /// This program as another process.
    pub(crate) fn of_this(arguments: &[&str]) -> Self {
        Self::start(Command::new(std::env::current_exe().unwrap()).args(arguments))
    }

    /// What it says next; nothing if it has ended.
    pub(crate) fn line(&mut self) -> String {
        self.line_within(PATIENCE)
    }

    /// The same; nothing also if it does not say anything for so long.
    pub(crate) fn line_within(&mut self, limit: Duration) -> String {
        self.said.recv_timeout(limit).unwrap_or_default()
    }

    /// In bytes.
    pub(crate) fn memory(&self) -> f64 {
        let path = format!("/proc/{}/status", self.child.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        let kib = line.and_then(|line| line.split_whitespace().nth(1));
        kib.map_or(0.0, |kib| kib.parse::<f64>().unwrap() * 1024.0)
    }

    /// Of TCP.
    pub(crate) fn sockets(&self) -> usize {
        let proc = format!("/proc/{}", self.child.id());
        let mut inodes = BTreeSet::new();
        for table in ["tcp", "tcp6"] {
            let table = std::fs::read_to_string(format!("{proc}/net/{table}")).unwrap_or_default();
            let fields = table
                .lines()
                .filter_map(|line| line.split_whitespace().nth(9));
            inodes.extend(fields.map(|inode| format!("socket:[{inode}]")));
        }
        let open = std::fs::read_dir(format!("{proc}/fd")).unwrap();
        let links = open.filter_map(|entry| std::fs::read_link(entry.ok()?.path()).ok());
        links
            .filter(|link| inodes.contains(&*link.to_string_lossy()))
            .count()
    }

    /// In milliseconds of the processors, as exact as the system counts: to 10 ms.
    pub(crate) fn cpu(&self) -> f64 {
        let path = format!("/proc/{}/stat", self.child.id());
        let stat = std::fs::read_to_string(path).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        // `utime` and `stime`, in hundredths of a second.
        let ticks = fields.split(' ').skip(11).take(2);
        ticks
            .map(|ticks| ticks.parse::<f64>().unwrap())
            .sum::<f64>()
            * 10.0
    }

    /// Lets it end in good order; why it did not, if so.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        drop(self.told.take());
        let deadline = Instant::now() + END;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(None) => std::thread::sleep(Duration::from_millis(10)),
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("has ended with {status}")),
                Err(error) => return Err(error.to_string()),
            }
        }
        Err("did not end when it was told to".to_owned())
    }
}

/// None is left behind, in whatever way this process ends.
impl Drop for Other {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
