#!/bin/sh
# Ends the processes noted in a folder once its standard input closes: see leash.ts.
# usage: leash.sh FOLDER

# When a process started, in the words that leash.ts wrote down.
started() {
  if [ -d /proc/self ]; then
    stat=$(cat "/proc/$1/stat") || return 1
    # The second field is the command's name in brackets and may contain spaces:
    # what follows it begins with the third, so the 22nd is now the 20th.
    set -- ${stat##*) }
    shift 19
    echo "$1"
  else
    ps -o lstart= -p "$1" | xargs
  fi
}

# Sends each noted process group its signal, or the one given. Fails if none is left.
end() {
  left=1
  for note in "$folder"/*.pid; do
    [ -f "$note" ] || continue
    read -r pid signal start < "$note"
    [ "$(started "$pid")" = "$start" ] || continue
    left=0
    kill -s "${1:-${signal#SIG}}" -- "-$pid"
  done
  return $left
}

folder=$1
while read -r _; do :; done
end || exit 0
for _ in 1 2 3 4 5 6 7 8; do
  sleep 0.5
  end 0 || exit 0
done
end KILL
