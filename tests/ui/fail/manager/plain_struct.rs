use kommodore::Manager;

struct Plain;

fn build(config: kube::Config) {
    let _ = Manager::builder(config).controller(Plain);
}

fn main() {}
