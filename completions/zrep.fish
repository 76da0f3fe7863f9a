# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_zrep_global_optspecs
    string join \n t/tag= R/recursive D/debug json timeout= rate= compress h/help V/version
end

function __fish_zrep_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_zrep_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_zrep_using_subcommand
    set -l cmd (__fish_zrep_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c zrep -n "__fish_zrep_needs_command" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_needs_command" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_needs_command" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_needs_command" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_needs_command" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_needs_command" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_needs_command" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_needs_command" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_needs_command" -s V -l version -d 'Print version'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "init" -d 'Set up a pairing: mark both sides, and send the first snapshot'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "sync" -d 'Bring the target up to date, once or for ever'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "snaponly" -d 'Make the next snapshot of a master, and say its name'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "synconly" -d 'Send the newest snapshot of zrep\'s that is there, without making one'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "refresh" -d 'Bring replicas of this machine up to date, from their masters'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "status" -d 'Tell when each pairing was last synced'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "list" -d 'Name the datasets that are paired'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "getlastsent" -d 'Name the newest snapshot that has arrived on the other side'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "lastsent" -d 'Name the newest snapshot that has arrived on the other side'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "uptodate" -d 'Succeed (exit status 0, else 1) if nothing was written since the last snapshot that was sent'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "expire" -d 'Destroy the snapshots beyond each side\'s savecount'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "clear" -d 'Make one side forget its pairing, and destroy its snapshots'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "changeconfig" -d 'Write on one side who the other one is'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "sentsync" -d 'Make a snapshot that both sides have the one that was sent last, and its dataset the master'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "failover" -d 'Make the target the master, from the source\'s side'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "takeover" -d 'Make the target the master, from the target\'s side'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "rejoin" -d 'Make a superseded master, or a replica that was written to, follow the master; what only it has is kept aside'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "gate" -d 'At boot: see whether this machine\'s masters are still that, before anything is written to them'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "serve" -d 'Be the other end of a session, on stdin and stdout'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "version" -d 'Tell the versions of zrep and of ZFS'
complete -c zrep -n "__fish_zrep_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c zrep -n "__fish_zrep_using_subcommand init" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand init" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand init" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand init" -l raw -d 'Send ciphertext, or nothing: refuse a source that is not encrypted. An encrypted one is always sent so'
complete -c zrep -n "__fish_zrep_using_subcommand init" -s f -l force -d 'For command lines of shell zrep, which overwrote with it. A target that is there is refused all the same'
complete -c zrep -n "__fish_zrep_using_subcommand init" -s v -l verbose -d 'For command lines of shell zrep: on a terminal there is a bar of progress anyway'
complete -c zrep -n "__fish_zrep_using_subcommand init" -s n -l dry-run -d 'Show the plan, and do nothing'
complete -c zrep -n "__fish_zrep_using_subcommand init" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand init" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand init" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand init" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand init" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand sync" -l every -d 'Go on for ever, with a round each DURATION (such as 500ms, 10s, 5m; 0s: without a pause)' -r
complete -c zrep -n "__fish_zrep_using_subcommand sync" -l rounds -d 'End after this many rounds' -r
complete -c zrep -n "__fish_zrep_using_subcommand sync" -s q -l quiet -d 'Pass over a dataset that another process works on, if its last sync is no older than this (30 or more)' -r
complete -c zrep -n "__fish_zrep_using_subcommand sync" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand sync" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand sync" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand sync" -s f -l force -d 'Roll the target back to the last common snapshot first, and tell what that discards'
complete -c zrep -n "__fish_zrep_using_subcommand sync" -s c -l changed-only -d 'Do nothing where nothing was written since the last sync'
complete -c zrep -n "__fish_zrep_using_subcommand sync" -s v -l verbose -d 'Tell of each sync of a round, too'
complete -c zrep -n "__fish_zrep_using_subcommand sync" -s r -l resume -d 'Accepted for shell zrep\'s command lines: an interrupted stream always goes on'
complete -c zrep -n "__fish_zrep_using_subcommand sync" -s n -l dry-run -d 'Show the plan, and do nothing'
complete -c zrep -n "__fish_zrep_using_subcommand sync" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand sync" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand sync" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand sync" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand sync" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand snaponly" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand snaponly" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand snaponly" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand snaponly" -s n -l dry-run -d 'Show the plan, and do nothing'
complete -c zrep -n "__fish_zrep_using_subcommand snaponly" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand snaponly" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand snaponly" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand snaponly" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand snaponly" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand synconly" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand synconly" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand synconly" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand synconly" -s f -l force -d 'Roll the target back to the last common snapshot first, and tell what that discards'
complete -c zrep -n "__fish_zrep_using_subcommand synconly" -s v -l verbose -d 'Accepted for shell zrep\'s command lines'
complete -c zrep -n "__fish_zrep_using_subcommand synconly" -s n -l dry-run -d 'Show the plan, and do nothing'
complete -c zrep -n "__fish_zrep_using_subcommand synconly" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand synconly" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand synconly" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand synconly" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand synconly" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand refresh" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand refresh" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand refresh" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand refresh" -s f -l force -d 'Roll the target back to the last common snapshot first, and tell what that discards'
complete -c zrep -n "__fish_zrep_using_subcommand refresh" -s v -l verbose -d 'Accepted for shell zrep\'s command lines'
complete -c zrep -n "__fish_zrep_using_subcommand refresh" -s r -l resume -d 'Accepted for shell zrep\'s command lines: an interrupted stream always goes on'
complete -c zrep -n "__fish_zrep_using_subcommand refresh" -s n -l dry-run -d 'Show the plan, and do nothing'
complete -c zrep -n "__fish_zrep_using_subcommand refresh" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand refresh" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand refresh" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand refresh" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand refresh" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand status" -l warn -d 'With -m: warn of a last sync that is so old (such as 10m, 2h), unless nothing was written since' -r
complete -c zrep -n "__fish_zrep_using_subcommand status" -l crit -d 'With -m: the same for CRITICAL' -r
complete -c zrep -n "__fish_zrep_using_subcommand status" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand status" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand status" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand status" -s a -l all -d 'Targets, too'
complete -c zrep -n "__fish_zrep_using_subcommand status" -s v -l verbose -d 'Tell where each one is replicated to'
complete -c zrep -n "__fish_zrep_using_subcommand status" -s m -l monitor -d 'Be a check for monitoring: one line and a line for each dataset; exit status 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN'
complete -c zrep -n "__fish_zrep_using_subcommand status" -s n -l dry-run -d 'Accepted everywhere: this command changes nothing'
complete -c zrep -n "__fish_zrep_using_subcommand status" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand status" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand status" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand status" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand status" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand list" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand list" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand list" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand list" -s L -l masters -d 'This host\'s masters only'
complete -c zrep -n "__fish_zrep_using_subcommand list" -s v -l verbose -d 'Tell what is set on each, the role, the epoch and the condition, and what to do about it'
complete -c zrep -n "__fish_zrep_using_subcommand list" -s s -l snapshots -d 'Name all snapshots, with the time of each; those of this host\'s masters if no dataset is named'
complete -c zrep -n "__fish_zrep_using_subcommand list" -s n -l dry-run -d 'Accepted everywhere: this command changes nothing'
complete -c zrep -n "__fish_zrep_using_subcommand list" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand list" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand list" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand list" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand list" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand getlastsent" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand getlastsent" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand getlastsent" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand getlastsent" -s n -l dry-run -d 'Accepted everywhere: this command changes nothing'
complete -c zrep -n "__fish_zrep_using_subcommand getlastsent" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand getlastsent" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand getlastsent" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand getlastsent" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand getlastsent" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand lastsent" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand lastsent" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand lastsent" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand lastsent" -s n -l dry-run -d 'Accepted everywhere: this command changes nothing'
complete -c zrep -n "__fish_zrep_using_subcommand lastsent" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand lastsent" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand lastsent" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand lastsent" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand lastsent" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand uptodate" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand uptodate" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand uptodate" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand uptodate" -s n -l dry-run -d 'Accepted everywhere: this command changes nothing'
complete -c zrep -n "__fish_zrep_using_subcommand uptodate" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand uptodate" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand uptodate" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand uptodate" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand uptodate" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand expire" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand expire" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand expire" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand expire" -s L -l local -d 'This side only'
complete -c zrep -n "__fish_zrep_using_subcommand expire" -s n -l dry-run -d 'Show the plan, and do nothing'
complete -c zrep -n "__fish_zrep_using_subcommand expire" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand expire" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand expire" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand expire" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand expire" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand clear" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand clear" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand clear" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand clear" -s f -l force -d 'Do not ask'
complete -c zrep -n "__fish_zrep_using_subcommand clear" -s n -l dry-run -d 'Show the plan, and do nothing'
complete -c zrep -n "__fish_zrep_using_subcommand clear" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand clear" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand clear" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand clear" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand clear" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand changeconfig" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand changeconfig" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand changeconfig" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand changeconfig" -s d -l destination -d 'The side on this machine is the target'
complete -c zrep -n "__fish_zrep_using_subcommand changeconfig" -s f -l force -d 'Although it has no snapshot that zrep has named'
complete -c zrep -n "__fish_zrep_using_subcommand changeconfig" -s n -l dry-run -d 'Show the plan, and do nothing'
complete -c zrep -n "__fish_zrep_using_subcommand changeconfig" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand changeconfig" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand changeconfig" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand changeconfig" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand changeconfig" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand sentsync" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand sentsync" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand sentsync" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand sentsync" -s L -l local -d 'This side only: the other one is not asked'
complete -c zrep -n "__fish_zrep_using_subcommand sentsync" -s n -l dry-run -d 'Show the plan, and do nothing'
complete -c zrep -n "__fish_zrep_using_subcommand sentsync" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand sentsync" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand sentsync" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand sentsync" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand sentsync" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand failover" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand failover" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand failover" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand failover" -s L -l local -d 'Without the target: give the role up, and go back to the last snapshot that was sent. `zrep takeover -L` there makes it the master'
complete -c zrep -n "__fish_zrep_using_subcommand failover" -l unmount -d 'Unmount it first: the sure way to stop every writer'
complete -c zrep -n "__fish_zrep_using_subcommand failover" -l abort -d 'Give up a failover that was cut off before its point of no return'
complete -c zrep -n "__fish_zrep_using_subcommand failover" -s f -l force -d 'Roll the target back to the last common snapshot first, and tell what that discards. With -L: discard what was not sent. With --abort: give it up although the target cannot be asked; if that became the master, what was written there since is kept aside when it rejoins'
complete -c zrep -n "__fish_zrep_using_subcommand failover" -s n -l dry-run -d 'Show the plan, and do nothing'
complete -c zrep -n "__fish_zrep_using_subcommand failover" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand failover" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand failover" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand failover" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand failover" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand takeover" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand takeover" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand takeover" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand takeover" -s L -l local -d 'Without the source, whose machine is dead or out of reach: go on from the last sync. What it wrote since stays there; `zrep rejoin` there keeps it aside'
complete -c zrep -n "__fish_zrep_using_subcommand takeover" -l unmount -d 'Unmount the source first: the sure way to stop every writer'
complete -c zrep -n "__fish_zrep_using_subcommand takeover" -s n -l dry-run -d 'Show the plan, and do nothing'
complete -c zrep -n "__fish_zrep_using_subcommand takeover" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand takeover" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand takeover" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand takeover" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand takeover" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand rejoin" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand rejoin" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand rejoin" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand rejoin" -s n -l dry-run -d 'Show the plan, and do nothing'
complete -c zrep -n "__fish_zrep_using_subcommand rejoin" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand rejoin" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand rejoin" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand rejoin" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand rejoin" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand gate" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand gate" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand gate" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand gate" -s n -l dry-run -d 'Show what would be done, and do nothing'
complete -c zrep -n "__fish_zrep_using_subcommand gate" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand gate" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand gate" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand gate" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand gate" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand serve" -l peer -d 'Allow what /etc/zrep/serve.conf allows this peer, and nothing else' -r
complete -c zrep -n "__fish_zrep_using_subcommand serve" -l allow -d 'Allow this in a tree of datasets, and nothing else: DATASET[:receive|send|control]...' -r
complete -c zrep -n "__fish_zrep_using_subcommand serve" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand serve" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand serve" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand serve" -l as-user -d 'Allow all that this user may do. The other machine asks for it; a forced command does not hear that'
complete -c zrep -n "__fish_zrep_using_subcommand serve" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand serve" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand serve" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand serve" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand serve" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand version" -s t -l tag -d 'Work on the pairings of this tag' -r
complete -c zrep -n "__fish_zrep_using_subcommand version" -l timeout -d 'Give another machine up after so long without a byte or an answer (such as 30s; default 60s)' -r
complete -c zrep -n "__fish_zrep_using_subcommand version" -l rate -d 'Send at most so much in a second (such as 500K, 10M)' -r
complete -c zrep -n "__fish_zrep_using_subcommand version" -s R -l recursive -d 'With all datasets below: `init` makes the pairing recursive, and from then on it is that by itself'
complete -c zrep -n "__fish_zrep_using_subcommand version" -s D -l debug -d 'Tell on stderr what is asked of which machine'
complete -c zrep -n "__fish_zrep_using_subcommand version" -l json -d 'Answer with one JSON object on stdout'
complete -c zrep -n "__fish_zrep_using_subcommand version" -l compress -d 'Compress streams on their way, with zstd; blocks that are compressed on disk travel compressed anyway'
complete -c zrep -n "__fish_zrep_using_subcommand version" -s h -l help -d 'Print help'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "init" -d 'Set up a pairing: mark both sides, and send the first snapshot'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "sync" -d 'Bring the target up to date, once or for ever'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "snaponly" -d 'Make the next snapshot of a master, and say its name'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "synconly" -d 'Send the newest snapshot of zrep\'s that is there, without making one'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "refresh" -d 'Bring replicas of this machine up to date, from their masters'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "status" -d 'Tell when each pairing was last synced'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "list" -d 'Name the datasets that are paired'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "getlastsent" -d 'Name the newest snapshot that has arrived on the other side'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "uptodate" -d 'Succeed (exit status 0, else 1) if nothing was written since the last snapshot that was sent'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "expire" -d 'Destroy the snapshots beyond each side\'s savecount'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "clear" -d 'Make one side forget its pairing, and destroy its snapshots'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "changeconfig" -d 'Write on one side who the other one is'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "sentsync" -d 'Make a snapshot that both sides have the one that was sent last, and its dataset the master'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "failover" -d 'Make the target the master, from the source\'s side'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "takeover" -d 'Make the target the master, from the target\'s side'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "rejoin" -d 'Make a superseded master, or a replica that was written to, follow the master; what only it has is kept aside'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "gate" -d 'At boot: see whether this machine\'s masters are still that, before anything is written to them'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "serve" -d 'Be the other end of a session, on stdin and stdout'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "version" -d 'Tell the versions of zrep and of ZFS'
complete -c zrep -n "__fish_zrep_using_subcommand help; and not __fish_seen_subcommand_from init sync snaponly synconly refresh status list getlastsent uptodate expire clear changeconfig sentsync failover takeover rejoin gate serve version help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c zrep -n "__fish_zrep_using_subcommand sync" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand snaponly" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand synconly" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand refresh" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand status" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand list" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand getlastsent" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand lastsent" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand uptodate" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand expire" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand clear" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand changeconfig" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand failover" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand takeover" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand rejoin" -f -a "(zrep list 2>/dev/null </dev/null)"
complete -c zrep -n "__fish_zrep_using_subcommand gate" -f -a "(zrep list 2>/dev/null </dev/null)"
