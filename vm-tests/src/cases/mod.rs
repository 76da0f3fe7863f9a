//! The cases: one small file each, named after the rule it checks, in the folder of
//! its area. A new case is a new file and its name in the list below.

pub mod chance;
pub mod far;
pub mod forest;
pub mod grove;
pub mod pair;
pub mod shell;
pub mod trace;

use std::fmt;

use anyhow::Result;

use crate::fixture::Lab;

/// A case: `area::rule`, and the function `run` of its file.
#[derive(Clone, Copy)]
pub struct Case {
    pub name: &'static str,
    pub run: fn(&Lab) -> Result<()>,
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// The error of a case that cannot be asked here; it counts as skipped.
#[derive(Debug)]
pub struct Skip(pub String);

impl std::error::Error for Skip {}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "skipped: {}", self.0)
    }
}

/// Ends a case as skipped: `return skip("no encryption in this kernel")`.
pub fn skip<T>(reason: impl Into<String>) -> Result<T> {
    Err(Skip(reason.into()).into())
}

/// Declares the modules and lists the cases in one. They run in this order.
macro_rules! cases {
    ($($area:ident: [$($rule:ident),* $(,)?]),* $(,)?) => {
        $(pub mod $area { $(pub mod $rule;)* })*

        /// All cases.
        pub static CASES: &[Case] = &[$($(
            Case { name: concat!(stringify!($area), "::", stringify!($rule)), run: $area::$rule::run },
        )*)*];
    };
}

cases! {
    lab: [
        pools_are_fresh,
        zrep_runs,
        files_can_be_compared,
        leaves_everything_behind,
        sees_nothing_of_the_case_before,
        two_hosts_reach_each_other,
        two_hosts_have_their_own,
        zrep_runs_on_the_second_host,
        a_command_of_local_ssh_is_not_its_child,
        a_relay_delays,
        a_relay_has_accidents,
        a_network_can_be_cut,
        sees_nothing_of_a_second_host,
    ],
    flags: [
        debug_goes_to_standard_error,
        help_tells_of_each_verb,
        recursion_is_refused_where_it_means_nothing,
        stand_anywhere_and_may_be_repeated,
    ],
    init: [
        a_second_tag_does_not_disturb_the_first,
        copies_a_volume,
        copies_all_files,
        copies_what_shapes_the_data_and_not_where_it_is_mounted,
        dry_run_changes_nothing,
        goes_on_where_it_was_interrupted,
        marks_both_sides,
        raw_needs_an_encrypted_source,
    ],
    sync: [
        a_bookmark_serves_as_the_base,
        a_busy_dataset_is_passed_over_quietly,
        a_file_written_just_before_travels_with_changed_only,
        a_held_snapshot_is_kept,
        a_renamed_snapshot_still_is_the_base,
        a_snapshot_of_somebody_else_stays_behind_with_another_tag,
        a_snapshot_of_somebody_else_travels_along,
        a_snapshot_that_is_looked_at_does_not_stop_a_sync,
        a_volume_is_carried,
        all_means_the_masters_of_this_host,
        an_encrypted_source_needs_no_key_either,
        an_encrypted_source_stays_encrypted,
        carries_what_has_changed,
        changed_only_does_nothing_when_up_to_date,
        json_can_be_read,
        keeps_no_list_in_a_file,
        nothing_written_makes_an_empty_increment,
        several_at_once_do_not_disturb_each_other,
        several_datasets_go_together,
        ten_thousand_files_of_many_kinds_arrive_unchanged,
        the_number_of_a_destroyed_snapshot_is_not_used_again,
    ],
    rollback: [
        the_target_goes_back_and_comes_forward_again,
        turns_back_a_volume_of_another_tag,
        what_only_the_target_has_is_kept_unless_forced,
    ],
    snaponly: [only_a_master_that_nobody_works_on_gets_one, says_the_name_and_nothing_else],
    synconly: [
        leaves_what_others_have_made_behind_with_another_tag,
        sends_the_newest_snapshot_that_is_there,
    ],
    refresh: [
        a_diverged_target_is_rolled_back_by_force,
        fetches_filesystems_volumes_and_another_tag,
    ],
    refreshpull: [a_plain_receive_takes_it, gives_out_the_newest_snapshot_only],
    run: [
        a_changed_savecount_is_noticed,
        a_snapshot_of_somebody_else_travels_along,
        changes_of_several_datasets_arrive,
        copies_no_stream_itself,
        ends_after_its_step_when_told_to,
        finds_out_that_it_was_superseded,
        keeps_others_out,
        lets_others_in_between_its_rounds,
        marks_are_on_disk_between_rounds,
        starts_no_program,
        survives_an_export_of_its_target,
        two_tags_work_at_the_same_time,
    ],
    expire: [
        each_side_keeps_its_savecount,
        local_leaves_the_other_side_alone,
        needs_no_way_back,
        pairings_in_each_other_keep_their_own,
        the_common_snapshot_stays_whatever_the_count,
        what_others_have_named_stays,
    ],
    status: [
        json_can_be_read,
        list_names_both_sides,
        monitoring_gets_one_line_and_a_code,
        never_means_that_nothing_has_arrived,
        tells_when_each_was_synced,
    ],
    getlastsent: [names_what_has_arrived],
    uptodate: [is_measured_from_the_last_sent_snapshot],
    list: [
        named_datasets_are_looked_up,
        snapshots_are_shown_with_their_times,
        verbose_shows_what_is_set,
    ],
    cron: [old_lines_reach_another_machine, old_lines_work_unchanged],
    tag: [
        a_volume_goes_through_every_verb,
        roles_of_a_volume_turn_and_come_back,
    ],
    version: [the_first_line_is_a_name_and_a_number],
    clear: [
        forgets_the_pairing_and_nothing_else,
        leaves_the_other_tag_of_a_volume,
        refuses_without_an_answer,
    ],
    changeconfig: [moves_a_volume_of_another_tag, tells_each_side_its_other_one],
    sentsync: [a_name_that_only_looks_common_is_refused, adopts_a_copy_that_was_made_by_hand],
    failover: [
        a_half_made_master_is_completed,
        a_mapped_file_is_named_and_stops_it,
        a_master_steps_down_alone,
        a_target_that_was_written_to_is_rolled_back_by_force,
        a_volume_steps_down_alone,
        dry_run_changes_nothing,
        given_up_alone_it_supersedes_the_other_side,
        is_undone_when_the_last_sync_fails,
        loses_no_write_that_was_acknowledged,
        swaps_the_roles,
        takes_along_what_only_the_intent_log_has,
        the_new_master_is_not_buried_by_its_parent,
        the_new_master_replicates_back,
        the_other_host_can_be_named,
        turns_a_volume,
        what_was_cut_off_is_settled_by_whichever_verb_comes_next,
    ],
    gate: [a_master_waits_for_its_peer, a_superseded_peer_opens_it],
    rejoin: [
        keeps_a_volume_of_another_tag_aside,
        keeps_aside_what_diverged,
        keeps_what_only_the_intent_log_has,
        leaves_children_where_they_are,
        only_steps_down_without_a_tail,
        takes_no_noise_for_data,
    ],
    takeover: [
        turns_the_pair_from_the_targets_side,
        works_without_the_source,
    ],
    crash: [
        a_broken_failover_is_completed_by_typing_again,
        a_broken_init_is_completed_by_typing_it_again,
        a_broken_stream_is_resumed,
        a_master_that_is_mounted_read_only_becomes_writable,
        the_next_sync_goes_on,
    ],
    remote: [
        a_cut_stream_goes_on_where_it_was_cut,
        a_frozen_peer_is_given_up,
        a_key_opens_what_its_rule_says,
        a_loop_starts_one_ssh_and_nothing_else,
        a_pair_turns_while_its_loop_runs,
        a_reader_that_does_not_read_is_given_up,
        another_tag_travels,
        names_with_blanks_travel,
        no_server_outlives_its_client,
        noise_of_login_scripts_hides_nothing,
        roles_turn_from_either_side,
    ],
    names: [
        a_name_without_room_for_a_snapshot_is_refused,
        a_pair_that_does_not_name_each_other_is_not_turned,
        a_tag_is_checked,
        bad_names_in_properties_are_refused,
        commands_in_help_can_be_pasted,
        control_characters_in_properties_do_not_reach_the_terminal,
        what_is_no_dataset_name_is_refused,
    ],
    settings: [
        a_buffer_becomes_part_of_the_filters,
        a_file_of_others_is_not_for_root,
        a_new_target_has_what_is_wished,
        a_new_target_on_another_machine_has_what_its_machine_allows,
        a_tree_that_is_asked_for_by_a_variable_is_not_forgotten,
        filters_stand_at_both_ends,
        flags_can_be_set_for_good,
        flags_of_zfs_send_are_taken_by_name,
        nothing_expires_if_that_is_wished,
        snapshots_of_others_stay_behind_if_that_is_wished,
        the_file_is_read_and_not_run,
        what_is_not_understood_of_a_variable_stops_everything,
    ],
    tree: [
        a_loop_carries_a_tree,
        a_plain_peer_has_no_trees,
        a_takeover_alone_takes_the_whole_tree,
        a_tree_of_shell_zrep_is_adopted,
        a_tree_travels_to_another_host,
        an_encrypted_tree_rejoins,
        an_encrypted_tree_turns_without_a_full_stream,
        another_tag_has_a_tree_of_its_own,
        init_and_sync_carry_the_whole_tree,
        is_expired_and_forgotten_as_a_whole,
        is_refused_by_verbs_of_one_dataset,
        is_synced_in_two_halves,
        is_told_anew_marked_and_guarded_as_a_whole,
        keeps_aside_what_diverged,
        pairings_are_not_nested,
        roles_turn_with_everything_below,
        sixty_of_which_some_change_end_equal,
        verbs_that_look_see_the_whole_tree,
        what_was_mounted_read_only_becomes_writable,
    ],
    refusals: [
        a_base_lost_on_the_source_is_a_divergence,
        a_base_lost_on_the_target_with_data_behind_it,
        a_child_that_inherits_a_pairing_has_none,
        a_command_line_that_is_not_understood,
        a_delegated_user_can_sync,
        a_diverged_target_is_refused_until_forced,
        a_filesystem_is_no_volume,
        a_full_pool_stops_a_sync_without_traces,
        a_full_pool_stops_init_without_traces,
        a_living_process_keeps_init_away,
        a_living_process_keeps_its_lock,
        a_lock_file_is_waited_for_and_named,
        a_loop_goes_on_after_an_export,
        a_loop_in_trouble_rests,
        a_missing_dataset_is_named,
        a_missing_other_side_is_named,
        a_modified_target_is_refused_until_forced,
        a_quota_stops_init_and_sync_without_traces,
        a_read_only_pool_is_named,
        a_savecount_is_a_number_from_one_up,
        a_source_of_another_host_is_left_to_it,
        a_target_that_was_destroyed_can_be_made_again,
        an_exported_pool_is_named,
        an_unpaired_dataset_is_said_to_be_that,
        an_unprivileged_user_may_nothing,
        force_discards_what_was_written_a_moment_ago,
        force_stops_at_what_is_held_or_cloned,
        init_does_not_overwrite,
        init_leaves_a_copy_made_by_hand,
        init_leaves_an_interrupted_receive_of_somebody_else,
        init_refuses_a_source_that_is_paired,
        init_refuses_a_target_without_a_place,
        init_refuses_sides_that_overlap,
        one_bad_dataset_does_not_stop_the_others,
        one_that_fails_in_midstream_does_not_stop_the_others,
        roles_are_not_mixed_up,
        scripts_get_the_parts_of_a_refusal,
        the_lock_of_a_dead_process_is_taken_over,
        two_masters_are_a_split_brain,
        what_helps_without_a_common_snapshot_works,
        what_is_left_out_is_said,
        without_a_common_snapshot_there_is_no_sync,
        without_a_device_zrep_says_so,
    ],
    interop: [
        both_tell_the_same,
        takes_turns_with_the_script_on_one_host,
        the_script_is_the_peer_of_push_and_pull,
        the_script_refreshes_from_here,
        what_one_repairs_the_other_goes_on_with,
    ],
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    /// The names that the files in the folders ask for.
    fn names_of_files() -> Vec<String> {
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cases");
        let areas = fs::read_dir(here)
            .unwrap()
            .flatten()
            .filter(|entry| entry.path().is_dir());
        let mut names = Vec::new();
        for area in areas {
            for rule in fs::read_dir(area.path()).unwrap().flatten() {
                let rule = rule.path().with_extension("");
                let words = [area.file_name(), rule.file_name().unwrap().to_owned()];
                names.push(words.map(|word| word.into_string().unwrap()).join("::"));
            }
        }
        names.sort();
        names
    }

    #[test]
    fn every_file_is_listed() {
        let mut listed: Vec<_> = CASES.iter().map(|case| case.name.to_owned()).collect();
        listed.sort();
        assert_eq!(names_of_files(), listed);
    }
}
