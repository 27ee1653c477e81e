//! The worlds notice that a rule is broken.

use std::panic::catch_unwind;

use super::{copies, feed, named, parked, parked_reader, rules};
use crate::mutants::{self, Mutant};

/// A rule, and the test that notices when it is broken.
const NOTICED: [(Mutant, fn()); 39] = [
    (Mutant::DropHorizon, super::writer_that_has_rested_is_read_after_its_last_batch_was_forgotten),
    (
        Mutant::WaitingStays,
        super::writer_that_has_rested_is_read_after_its_last_batch_was_forgotten,
    ),
    (Mutant::DropListedBatch, super::absorbed_batch_whose_delete_fails_stays_known),
    (Mutant::DropNeededIndex, rules::batch_before_a_live_one_stays_known),
    (Mutant::DecideByOneLoad, rules::load_does_not_decide_its_own_doubt),
    (Mutant::GoneUnnoticed, super::batch_that_is_gone_is_damage_until_a_repair_goes_past_it),
    (Mutant::OverlookGone, super::log_with_a_batch_that_is_gone_is_neither_changed_nor_counted),
    (Mutant::PassByTimeEarly, rules::stop_before_excluded_batches_passes_none_of_them),
    (Mutant::TailByName, rules::own_read_leaves_out_all_before_the_last_one_met),
    (Mutant::StepOverUnconfirmed, rules::repair_waits_for_a_batch_that_may_land),
    (Mutant::VerifyFirstLook, rules::verification_looks_twice_at_a_hidden_batch),
    (Mutant::ConflictIgnored, named::of_two_readers_of_a_name_one_commits),
    (Mutant::PredecessorUnchecked, named::commit_is_refused_if_its_number_was_used_and_deleted),
    (Mutant::FirstUnchecked, named::first_commit_is_refused_if_that_number_was_used_and_deleted),
    (Mutant::CollectUnordered, named::old_commits_are_deleted_in_order),
    (Mutant::TrimPastNames, named::trim_keeps_what_a_named_position_has_not_passed),
    (Mutant::StartAtSeal, feed::batch_of_a_feed_has_its_name_before_its_create),
    (Mutant::ResumeByListing, feed::batches_of_a_feed_that_were_absorbed_are_stored),
    (Mutant::ResumeBelowHorizon, feed::batch_of_a_feed_that_may_be_trimmed_is_reported),
    (Mutant::ParkedWithoutWriter, parked::parked_writer_continues_its_batches),
    (Mutant::ParkedWithoutTime, parked::parked_writer_continues_behind_all_that_it_found),
    (Mutant::ParkedWithoutNumber, parked::parked_writer_continues_its_batches),
    (Mutant::ParkedWithoutWritten, parked::parked_writer_counts_what_it_has_made_durable),
    (
        Mutant::ParkedWithoutOptions,
        parked::parked_writer_keeps_its_events_and_seals_as_its_options_say,
    ),
    (Mutant::ParkedWithoutGeneration, parked::parked_writer_believes_no_older_listing),
    (
        Mutant::ParkedWithoutEvents,
        parked::parked_writer_keeps_its_events_and_seals_as_its_options_say,
    ),
    (Mutant::ParkedWithoutAge, parked::events_of_a_parked_writer_grow_old),
    (Mutant::ParkedReaderWithoutYielded, parked_reader::parked_reader_yields_each_event_once),
    (Mutant::ParkedReaderAhead, parked_reader::parked_reader_yields_each_event_once),
    (Mutant::ParkedReaderWithoutTimes, parked_reader::parked_reader_keeps_its_times),
    (Mutant::ParkedReaderWithoutStart, parked_reader::parked_reader_keeps_its_options),
    (Mutant::ParkedReaderWithoutLimit, parked_reader::parked_reader_keeps_its_options),
    (Mutant::ParkedReaderFresh, parked_reader::parked_reader_counts_what_it_has_missed),
    (Mutant::ParkedReaderOfAnyLog, parked_reader::parked_reader_reports_once_that_there_is_no_log),
    (Mutant::ParkedReaderAtEnd, parked_reader::reader_parked_between_pages_yields_each_event_once),
    (Mutant::ParkedReaderWithoutGeneration, parked_reader::parked_reader_believes_no_older_listing),
    (Mutant::ParkedReaderWithoutCommit, parked_reader::parked_reader_keeps_its_name),
    (Mutant::CopyManifestFirst, copies::copy_killed_anywhere_shows_a_state_of_the_source),
    (Mutant::KnownByName, super::retry_waits_for_fewer_batches_and_counts_once),
];

#[test]
fn worlds_notice_that_a_rule_is_broken() {
    for (mutant, world) in NOTICED {
        mutants::set(Some(mutant));
        let outcome = catch_unwind(world);
        mutants::set(None);
        assert!(outcome.is_err(), "{mutant:?} is not noticed");
    }
}
