# What the cases use. Sourced by each of them.

# eventually COMMAND..: tries until the command succeeds, for half a minute.
eventually() {
  tries=0
  until "$@"; do
    tries=$((tries + 1))
    [ "$tries" -lt 600 ] || return 1
    sleep 0.05
  done
}
