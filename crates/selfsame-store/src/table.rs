//! The tables. A table is a keyspace of the engine; keys sort by their bytes.

macro_rules! tables {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)+) => {
        /// A table of the state store.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Table { $($(#[$doc])* $name,)+ }

        impl Table {
            /// Every table.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name on disk.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

tables! {
    /// One row per fact about the whole state: the position of the checkpoint, the configuration,
    /// the counters. Exact.
    Meta = "meta";
    /// How this folder lays its files out: which runs of message ids there are. Exact, and alone not
    /// part of the state: two folders with the same state may differ here.
    Layout = "layout";
    /// space, identifier key -> whose it is. Exactly as of the checkpoint.
    Identifiers = "identifiers";
    /// space, component -> its members, or the component it was merged into. Exactly as of the
    /// checkpoint.
    Components = "components";
    /// space, component, set -> identifiers seen together. Exactly as of the checkpoint.
    Evidence = "evidence";
    /// space, identifier key, component, set -> nothing: an identifier that was on a set of another
    /// profile. Exactly as of the checkpoint.
    Sightings = "sightings";
    /// space, identifier key -> what it is set apart from. Exactly as of the checkpoint.
    Apart = "apart";
    /// space, device -> the user ids that it came with, where the rules ask for that. Exactly as of the
    /// checkpoint.
    People = "people";
    /// space, component, event -> a merge made or refused. Exactly as of the checkpoint.
    Ledger = "ledger";
    /// space, anchor -> what was folded under it. Each row says up to which record.
    Sections = "sections";
    /// space, profile -> what definitions came to. Exactly as of the checkpoint.
    Computed = "computed";
    /// space, profile -> when to look at its definitions again. Exactly as of the checkpoint, and no part
    /// of the state: a moment may be named too early.
    Moments = "moments";
    /// space, anchor, number -> a full piece of the timeline.
    Chunks = "chunks";
    /// space, trait, value, anchor -> nothing: the index over declared traits.
    TraitIndex = "trait_index";
    /// source, day, number -> an event that was set aside. Bounded per source and day.
    Rejected = "rejected";
    /// space, number -> a limit, block or duplicate that an event met. Bounded per space.
    Insights = "insights";
}

impl Table {
    /// Whether the rows are a function of the log, and so part of the state's hash.
    pub const fn is_state(self) -> bool {
        !matches!(self, Self::Layout | Self::Moments)
    }

    /// The table's place in [`Table::ALL`].
    pub(crate) fn index(self) -> usize {
        self as usize
    }
}
