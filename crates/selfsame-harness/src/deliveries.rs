//! `deliveries`: how many deliveries a second go out, to receivers on this machine.
//!
//! Events are collected and folded first, while the connections are off; what is measured is from the moment
//! in which they are switched on until the receivers have everything. What a delivery costs the processors, of the
//! server and of the receivers here, says more than the rate where the machine is busy with other things.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::time::{Instant, sleep};

use crate::accounting;
use crate::child::{Program, Server, own_processor};
use crate::control::Control;
use crate::fleet::{Doings, Kind, Manner, Receivers, make, names, numbers, switch_on};
use crate::generate::Mix;
use crate::load::{self, Plan};
use crate::print;
use crate::scrape::Scrape;
use crate::table::machine;

const SENDERS: u64 = 16;
const BATCH: u64 = 100;
const PATIENCE: Duration = Duration::from_secs(900);

#[derive(Debug, clap::Args)]
pub(crate) struct Deliveries {
    /// The binary under test.
    #[arg(long)]
    binary: PathBuf,
    /// Events that each connection gets, where each is a request.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    events: u64,
    /// Events that each connection gets in batches.
    #[arg(long, default_value_t = 500_000, value_parser = clap::value_parser!(u64).range(1_000..))]
    batched: u64,
    /// Connections at once.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=100))]
    connections: u64,
    /// People.
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(64..))]
    people: u64,
    /// Only these.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Way::Webhook, Way::Single, Way::Batched])]
    only: Vec<Way>,
    /// 10,000 events each: to see that it works.
    #[arg(long)]
    quick: bool,
    /// Where the temporary folder is made.
    #[arg(long, default_value = "/tmp")]
    folder: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Way {
    /// Signed webhooks.
    Webhook,
    /// Connections of the catalogue, a request for each event.
    Single,
    /// Connections of the catalogue, in batches.
    Batched,
}

impl Way {
    fn kind(self) -> Kind {
        match self {
            Self::Webhook => Kind::Webhook,
            Self::Single => Kind::Single(Vec::new()),
            Self::Batched => Kind::Batched(Vec::new()),
        }
    }

    fn words(self) -> (&'static str, &'static str, u64) {
        match self {
            Self::Webhook => ("webhooks, a request each", "20,000/s", 20_000),
            Self::Single => ("of the catalogue, a request each", "20,000/s", 20_000),
            Self::Batched => ("of the catalogue, in batches", "200,000/s", 200_000),
        }
    }
}

/// What one way came to.
struct Measured {
    events: u64,
    requests: u64,
    took: Duration,
    /// How long processors were busy with it: of the server, and of the receivers.
    server: Duration,
    harness: Duration,
    /// What the server held when nothing had been sent, and the most that it held at all.
    before: u64,
    memory: u64,
}

impl Deliveries {
    pub(crate) async fn run(&self) -> Result<bool> {
        let program = Program::real(&std::path::absolute(&self.binary)?);
        let folder = tempfile::Builder::new().prefix("selfsame-sent-").tempdir_in(&self.folder)?;
        machine::print(folder.path())?;
        print::line(format!("real: {}", program.line()));
        print::line(format!("again: {}\n", std::env::args().collect::<Vec<_>>().join(" ")));
        let head = [
            "deliveries",
            "events/s",
            "requests/s",
            "us each",
            "memory before",
            "at most",
            "target",
            "",
        ];
        let (mut table, mut met) = (vec![head.map(str::to_owned).to_vec()], true);
        for way in &self.only {
            let (name, target, least) = way.words();
            let data = folder.path().join(format!("{way:?}"));
            let measured = self.measure(&program, &data, *way).await.context(name)?;
            let rate = print::per_second(measured.events, measured.took);
            met &= rate >= least;
            let each = |busy: Duration| busy.as_secs_f64() * 1e6 / measured.events as f64;
            table.push(vec![
                format!("{} {name}", self.connections),
                print::count(rate),
                print::count(print::per_second(measured.requests, measured.took)),
                format!("{:.1} + {:.1}", each(measured.server), each(measured.harness)),
                print::mebibytes(measured.before),
                print::mebibytes(measured.memory),
                target.to_owned(),
                print::verdict(rate >= least).to_owned(),
            ]);
        }
        print::columns(&table);
        Ok(met)
    }

    async fn measure(&self, program: &Program, data: &Path, way: Way) -> Result<Measured> {
        let events = match way {
            _ if self.quick => 10_000,
            Way::Batched => self.batched,
            Way::Webhook | Way::Single => self.events,
        };
        let count = usize::try_from(self.connections)?;
        let began = Instant::now();
        let fleet = Receivers::start(&vec![Manner::Takes(Duration::ZERO); count], began)?;
        let server = Server::start(program, data).await?;
        let mut control = Control::new(server.address);
        for (index, address) in fleet.addresses.iter().enumerate() {
            make(&mut control, index, &way.kind(), *address).await?;
        }
        let supplies = Doings::of(&names(8), (SENDERS, BATCH), (0, self.people), began);
        let plan = Plan {
            address: server.address,
            mix: Mix { profiles: self.people, batch: BATCH, seed: 1 },
            connections: SENDERS,
            rate: None,
            time: None,
            events: Some(events),
            backlog: None,
        };
        let events = load::run_with(plan, supplies, Arc::default()).await?.acknowledged;
        Scrape::new(server.address).drained(PATIENCE).await?;
        let (wanted, before) = (events * self.connections, server.memory()?.now);
        let busy = || Ok::<_, anyhow::Error>((server.processor()?, own_processor()?));
        let (started, before_it) = (Instant::now(), busy()?);
        switch_on(&mut control, count).await?;
        while fleet.events() < wanted {
            if started.elapsed() > PATIENCE {
                bail!("{} of {wanted} came in {PATIENCE:?}", fleet.events());
            }
            sleep(Duration::from_millis(10)).await;
        }
        let (took, behind_it) = (started.elapsed(), busy()?);
        self.check(&mut control, &fleet, events).await?;
        accounting::settled(server.address, PATIENCE).await?;
        let requests = (0..count).map(|index| fleet.taken(index, |one| one.requests)).sum();
        let memory = server.memory()?.peak;
        server.stop().await?;
        std::fs::remove_dir_all(data)?;
        let (server, harness) = (behind_it.0 - before_it.0, behind_it.1 - before_it.1);
        Ok(Measured { events: wanted, requests, took, server, harness, before, memory })
    }

    /// Nothing counts that came twice, or out of order.
    async fn check(&self, control: &mut Control, fleet: &Receivers, events: u64) -> Result<()> {
        for index in 0..fleet.addresses.len() {
            let wrong = fleet.taken(index, |one| one.disordered + one.repeated);
            if wrong > 0 {
                bail!("{wrong} events came twice or out of their order");
            }
        }
        let started = Instant::now();
        loop {
            let all = numbers(control, fleet.addresses.len()).await?;
            if all.iter().all(|one| one.is_balanced() && one.delivered == events) {
                return Ok(());
            }
            if started.elapsed() > Duration::from_secs(30) {
                bail!("the receivers have {events} events each, and the server says {all:?}");
            }
            sleep(Duration::from_millis(50)).await;
        }
    }
}
