//! What it is measured on.

/// The machine, and how busy it is.
pub(crate) fn machine() -> String {
    let read = |file: &str| std::fs::read_to_string(file).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus
        .lines()
        .find_map(|line| line.strip_prefix("model name\t: "));
    let memory = read("/proc/meminfo");
    let memory = memory
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"));
    let kib = memory.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    let version = |command: &str, argument: &str| {
        let output = std::process::Command::new(command).arg(argument).output();
        let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        said.unwrap_or_else(|_| format!("without {command}"))
    };
    format!(
        "{}, {} cores, {:.0} GiB, {}, {}, load {}",
        model.unwrap_or("an unknown CPU"),
        std::thread::available_parallelism().map_or(0, usize::from),
        kib.unwrap_or_default() / 1024.0 / 1024.0,
        version("rustc", "-V"),
        version("go", "version"),
        read("/proc/loadavg").trim(),
    )
}
