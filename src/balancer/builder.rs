//! The front door.

use std::fmt;
use std::sync::Weak;

use crate::alarm::Pager;
use crate::balancer::alarms::Board;
use crate::balancer::auditing::{Auditor, Findings};
use crate::balancer::checking::Checks;
use crate::balancer::core::{Core, Writer};
use crate::balancer::dates::Dates;
use crate::balancer::decisions::room;
use crate::balancer::events::Hub;
use crate::balancer::history::History;
use crate::balancer::ledger::Ledger;
use crate::balancer::make::Factory;
use crate::balancer::named::Named;
use crate::balancer::paging::Paging;
use crate::balancer::sweep::Sweeps;
use crate::balancer::tend::Agenda;
use crate::balancer::{Balancer, clock};
use crate::config::Config;
use crate::decision::Decisions;
use crate::endpoint::{Attributes, Bound, Endpoint, EndpointCell, EndpointSpec, Shared};
use crate::error::{BoxError, ConfigError, Problem};
use crate::health::Probe;
use crate::outlier::{Detector, Panics, Rules, Standing};
use crate::rng::Randomness;
use crate::snapshot::{Cursors, Draft, Ground, Member, Said, Stand, Supply};
use crate::strategy::Strategy;
use crate::sync::{Arc, HandOver, Published};
use crate::units::{EndpointId, Nanos, Version};

/// Describes a balancer; [`Balancer::builder`] begins it.
#[must_use = "a builder does nothing until `build`"]
pub struct Builder<T> {
    name: Option<String>,
    config: Config,
    endpoints: Vec<Endpoint<T>>,
    seed: Option<u64>,
    named: Named,
    factory: Option<Factory<T>>,
    detectors: Vec<(Arc<str>, Arc<dyn Detector>)>,
    probe: Option<Arc<dyn Probe<T>>>,
    pager: Option<Arc<dyn Pager>>,
}

impl<T: Send + Sync + 'static> Builder<T> {
    pub(crate) fn new() -> Self {
        Self {
            name: None,
            config: Config::default(),
            endpoints: Vec::new(),
            seed: None,
            named: Named::default(),
            factory: None,
            detectors: Vec::new(),
            probe: None,
            pager: None,
        }
    }

    /// What the balancer is called in status and events. Goes before a `name` in the settings;
    /// without either it is `default`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The settings. Default: [`Config::default`].
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Adds an endpoint.
    pub fn endpoint(mut self, endpoint: Endpoint<T>) -> Self {
        self.endpoints.push(endpoint);
        self
    }

    /// Adds endpoints.
    pub fn endpoints(mut self, endpoints: impl IntoIterator<Item = Endpoint<T>>) -> Self {
        self.endpoints.extend(endpoints);
        self
    }

    /// Makes every random choice of this balancer follow from `seed`, so that the same picks in
    /// the same order have the same results. Default: none, and every balancer differs.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Makes a strategy known under a name, to be chosen by `kind = "custom"` and
    /// `custom = "name"`. A second strategy of the same name takes the place of the first.
    pub fn strategy(mut self, name: impl Into<String>, strategy: impl Strategy) -> Self {
        self.named.insert(name.into(), Arc::new(strategy));
        self
    }

    /// Adds a detector of your own, which judges every sweep besides those of the settings. Events
    /// call it by `name`.
    ///
    /// A second detector of the same name takes the place of the first. It is on whatever
    /// `outlier` says, `outlier.dry_run` and the cap hold for it, and `outlier.interval` is how often
    /// it is asked.
    pub fn detector(mut self, name: impl Into<String>, detector: impl Detector) -> Self {
        let name: Arc<str> = name.into().into();
        self.detectors.retain(|(known, _)| *known != name);
        self.detectors.push((name, Arc::new(detector)));
        self
    }

    /// Says how endpoints are asked whether they are well; a second call replaces the first.
    ///
    /// When they are asked, and what follows, is said by `[health]` in the settings, which asks for
    /// nothing by default and is refused where there is no probe. Whoever runs
    /// [`start`](Balancer::start) makes the checks; without, none are made.
    pub fn probe(mut self, probe: impl Probe<T>) -> Self {
        self.probe = Some(Arc::new(probe));
        self
    }

    /// Says who is told of [alarms](crate::Alarm); a second call replaces the first.
    ///
    /// Whoever runs [`start`](Balancer::start) makes the calls. Without, nobody is paged; alarms are
    /// events and stand in the status all the same, and those that are raised by then are told
    /// once it runs.
    pub fn pager(mut self, pager: impl Pager) -> Self {
        self.pager = Some(Arc::new(pager));
        self
    }

    /// Turns descriptions of endpoints into targets: those of the `[[endpoints]]` of a file and
    /// of [`Balancer::replace_specs`].
    ///
    /// Called again when the address of an endpoint changes, and when its target is declared
    /// broken ([`Outcome::broken`](crate::Outcome::broken)): at once the first time, then with
    /// pauses that double from 100 ms to 30 s, half of each left to chance, until the endpoint has
    /// answered well again. Until a new target is made, the old one stays.
    ///
    /// It runs under the writer's lock, now and then on a request's own thread: it must neither
    /// block nor call the balancer. Connect lazily. A panic counts as an error.
    pub fn make(
        mut self,
        make: impl Fn(&EndpointSpec) -> Result<T, BoxError> + Send + Sync + 'static,
    ) -> Self {
        self.factory = Some(Factory::new(make));
        self
    }

    /// Builds the balancer. An empty set and one of zero weights are no errors: a pick then says
    /// [`PickError`](crate::PickError).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every problem: two endpoints share an id, the settings carry endpoints
    /// and [`make`](Self::make) was not called or failed, they ask for checks and
    /// [`probe`](Self::probe) was not called, or the strategy is unknown or panics.
    pub fn build(self) -> Result<Balancer<T>, ConfigError> {
        let mut problems = Vec::new();
        let chosen = self.named.choose(&self.config).map_err(|p| problems.push(p)).ok();
        let checks = Checks::new(self.probe, self.seed);
        problems.extend(checks.can_serve(&self.config).err());
        let made = made(&self.config, self.factory.as_ref(), &mut problems);
        let given = self.endpoints.into_iter().map(|endpoint| {
            let Endpoint { id, attributes, weight, target } = endpoint;
            Joining { id, attributes, weight, target, spec: None }
        });
        let mut joining: Vec<_> = given.chain(made).collect();
        joining.sort_by(|a, b| a.id.cmp(&b.id));
        for pair in joining.windows(2).filter(|pair| pair[0].id == pair[1].id) {
            let id = &pair[0].id;
            problems.push(Problem::error("endpoints", format!("two endpoints are called `{id}`")));
        }
        let Some(chosen) = chosen.filter(|_| problems.is_empty()) else {
            return Err(ConfigError::new(problems));
        };

        let randomness = Randomness::new(self.seed);
        let ground = Ground {
            origin: clock::origin(),
            // Far from the end of the count, and anywhere in a round.
            turn: randomness.fork().next_u64() >> 8,
            has_detectors: !self.detectors.is_empty(),
        };
        let name = self.name.as_deref().or_else(|| self.config.name()).unwrap_or("default");
        let shared = Arc::new(Shared::new(ground.origin, name.into()));
        let strategy = Arc::clone(&chosen.name);
        let standing = checks.awaited(&self.config).unwrap_or_default();
        let member = |joining: Joining<T>| joining.member(standing, &shared);
        let members: Vec<_> = joining.into_iter().map(member).collect();
        let rotation = Stand::rotation(members.iter().map(Member::stand));
        let ledger = Ledger::new(Nanos(0), rotation.of - rotation.out);
        let decisions = Arc::new(Decisions::keeping(room(&self.config)));
        let draft = Draft {
            version: Version::FIRST,
            rules: Arc::new(Rules::of(&self.config)),
            checks: self.config.health().is_some(),
            config: Arc::new(self.config),
            chosen,
            members,
            panics: Panics::default(),
            cursors: Cursors::new(&ground),
            decisions: Arc::clone(&decisions),
            is_closed: false,
            causes: Vec::new(),
            amnesty: false,
            other_due: ledger.due(),
        };
        // Where all have to prove themselves first, none has: that is panic from the beginning.
        let (draft, _) = draft.keep_bounds(Nanos(0));
        let mut snapshot = draft.build(&ground, Supply::NONE).map_err(|_| {
            let message = format!("strategy `{strategy}` panicked while it prepared its picker");
            Problem::error("strategy", message)
        })?;
        snapshot.members.iter().for_each(|member| member.bound.serve());
        snapshot.enlist(&shared.terms);
        let history = History::new(&snapshot);
        let mut sweeps = Sweeps::new(self.detectors);
        sweeps.plan(&snapshot, Nanos(0));
        let auditor = Auditor::new(&snapshot, &shared.samples);
        let mut writer = Writer::new(history, ledger, sweeps, auditor);
        // What is wrong from the beginning is seen from the beginning.
        let turns = writer.alarms.look(&snapshot, ground.has_detectors, Nanos(0));
        let due = snapshot.next_due.at().min(writer.other_due());
        let agenda = Agenda::new(due);
        snapshot.next_due.move_to(due);
        let core = Arc::new(Core {
            published: Published::new(snapshot),
            board: Board::of(&writer.alarms),
            writer: HandOver::new(writer),
            hub: Hub::new(),
            dates: Dates::new(),
            ground,
            named: self.named,
            randomness,
            verdicts: Randomness::new(self.seed.map(|seed| !seed)),
            decisions,
            shared: Arc::clone(&shared),
            factory: self.factory,
            #[cfg(feature = "file")]
            alive: tokio::sync::watch::Sender::new(()),
            agenda: Arc::new(agenda),
            checks: Arc::new(checks),
            paging: Arc::new(Paging::new(self.pager)),
            findings: Findings::new(),
        });
        core.tell_first(turns);
        let control: Weak<Core<T>> = Arc::downgrade(&core);
        shared.report_to(control);
        Ok(Balancer { core })
    }
}

/// An endpoint of the first set.
struct Joining<T> {
    id: EndpointId,
    attributes: Attributes,
    weight: u32,
    target: T,
    spec: Option<Arc<EndpointSpec>>,
}

impl<T> Joining<T> {
    fn member(self, standing: Standing, shared: &Arc<Shared>) -> Member<T> {
        let cell = EndpointCell::new(self.id, Arc::clone(shared));
        let bound = Arc::new(Bound::new(Arc::new(cell), self.target));
        let member = Member::new(self.attributes, self.weight, bound);
        member.under(Said::default(), standing).made_of(self.spec)
    }
}

/// The endpoints that the settings describe.
fn made<T>(
    config: &Config,
    factory: Option<&Factory<T>>,
    problems: &mut Vec<Problem>,
) -> Vec<Joining<T>> {
    let specs = config.endpoints().unwrap_or(&[]);
    let Some(factory) = factory else {
        if !specs.is_empty() {
            let message = "the settings describe endpoints, and Builder::make was not called to \
                           turn them into targets";
            problems.push(Problem::error("endpoints", message));
        }
        return Vec::new();
    };
    let mut made = Vec::with_capacity(specs.len());
    for (at, spec) in specs.iter().enumerate() {
        match factory.make(spec) {
            Ok(target) => made.push(Joining {
                id: spec.id.clone(),
                attributes: Attributes::of(spec),
                weight: spec.weight,
                target,
                spec: Some(Arc::new(spec.clone())),
            }),
            Err(error) => {
                let message = format!("the target of `{}` was not made: {error}", spec.id);
                problems.push(Problem::error(format!("endpoints[{at}]"), message));
            }
        }
    }
    made
}

impl<T> fmt::Debug for Builder<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("name", &self.name)
            .field("config", &self.config)
            .field("endpoints", &self.endpoints)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}
