//! What it is measured on.

/// The machine, and how busy it is.
pub(crate) fn machine() -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name\t: "));
    let rustc = std::process::Command::new("rustc").arg("-V").output();
    let rustc = rustc.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    format!(
        "{}, {} cores, {}, load {}",
        model.unwrap_or("an unknown CPU"),
        std::thread::available_parallelism().map_or(0, usize::from),
        rustc.unwrap_or_default(),
        read("/proc/loadavg").trim(),
    )
}
