//! What the shell on the other machine is taught at the beginning of a session, and the words that it is sent.

use crate::ssh::quoted;

/// What the shell exits with where a condition does not hold. `zfs` exits with 0, 1 or 2.
pub(super) const UNEXPECTED: i32 = 90;

/// The functions that the commands of a batch are made of. What they check and what they do goes in one step, so that little time lies
/// in between.
///
/// * `step TEXT` runs the text and sends the marked answer; descriptor 3 is the session's stdout.
/// * `exists NAME` ends the step where it cannot be told.
/// * `destroy` and `discard` count what is not there as done, as `Action` says.
/// * `replay` mounts what is not mounted once, read-only and where nobody looks, so that the kernel applies its intent log.
/// * `attach` mounts anew what was left read-only by its mount, although its property says otherwise.
pub(super) const PRELUDE: &str = r#"exec 3>&1
LC_ALL=C PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
export LC_ALL PATH
step() {
[ "$go" ] || return 0
printf '%s begin\n' "$mark"
err=$(eval "$1" 2>&1 >&3 3>&- </dev/null)
status=$?
printf '\n%s end %s\n%s\n' "$mark" "$status" "$err"
[ "$status" = 0 ] || go=
}
value() {
zfs get -Hp -o value "$2" "$1" 2>/dev/null
}
exists() {
why=$(zfs list -H -o name "$1" 2>&1) && return 0
case $why in *'does not exist'*) return 1 ;; esac
printf '%s\n' "$why" >&2
exit 1
}
expect() {
found=$(zfs get -Hp -o source,value -s local "$2" "$1") || return 1
[ "$found" = "$3" ] || { printf '%s' "$found"; return 90; }
}
newest() {
found=$(zfs get -Hp -o value prevsnap "$1") || return 1
case $found in "$1"@*) ;; *) found= ;; esac
[ "$found" = "$2" ] || { printf '%s' "$found"; return 90; }
}
unwritten() {
zpool sync "${1%%/*}" || return 1
found=$(zfs get -Hp -o value written "$1") || return 1
[ "$found" = 0 ] || { printf '%s bytes' "$found"; return 90; }
}
stands() {
[ "$(zfs get -Hp -o value -s local "$2" "$1" 2>/dev/null)" = "$3" ]
}
destroy() {
exists "$1" || return 0
[ "$(value "$1" guid)" = "$2" ] || return 90
if [ "$3" = fail ]; then zfs destroy "$1"; return; fi
why=$(zfs destroy "$1" 2>&1) || printf '%s' "${why:-not destroyed}"
}
discard() {
exists "$1" || return 0
[ "$(value "$1" inconsistent)" = 0 ] || return 0
[ "$(value "$1" receive_resume_token)" = - ] || zfs receive -A "$1"
}
unreceived() {
exists "$1" || return 0
[ "$(value "$1" inconsistent)" = 1 ] || return 0
[ -z "$(zfs list -H -o name -t snapshot -d 1 "$1")" ] || return 0
zfs destroy "$1"
}
remount() {
if [ "$(value "$1" mounted)" = yes ]; then
[ "$(zfs get -Hp -o source,value readonly "$1")" = "$(printf 'temporary\ton')" ] || return 0
zfs unmount "$1" || return 1
fi
zfs mount "$1"
}
attach() {
why=$(remount "$1" 2>&1) || printf '%s' "${why:-not mounted}"
}
replay() {
[ "$(value "$1" type),$(value "$1" mounted)" = filesystem,no ] || return 0
case $(uname) in
SunOS) zfs mount -o ro "$1" && zfs unmount "$1"; return ;;
Linux) set -- "$1" ro,zfsutil ;;
*) set -- "$1" ro ;;
esac
dir=$(mktemp -d) || return 1
mount -t zfs -o "$2" "$1" "$dir" && umount "$dir"
status=$?
rmdir "$dir"
return $status
}
detach() {
[ "$(value "$1" mounted)" = yes ] || return 0
zfs unmount "$1"
}
"#;

/// A command line of these words, whatever is in them.
pub(super) fn line<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let words: Vec<String> = words.into_iter().map(quoted).collect();
    words.join(" ")
}

/// A command for a session of its own. It finds `zfs` where the sessions' shell does, whatever login shell there is.
pub(super) fn alone(command: &str) -> String {
    let script = format!("LC_ALL=C PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin; export LC_ALL PATH; exec {command}");
    format!("exec sh -c {}", quoted(&script))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stay_words() {
        assert_eq!(
            line(["zfs", "set", "a:b=it's; $x", "p/f s"]),
            r"zfs set 'a:b=it'\''s; $x' 'p/f s'"
        );
    }

    #[test]
    fn the_status_of_a_condition_is_the_one_that_is_looked_for() {
        assert_eq!(PRELUDE.matches(&format!("return {UNEXPECTED}")).count(), 4);
    }
}
