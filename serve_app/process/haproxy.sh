#!/bin/sh
# Starts HAProxy for Ray Serve with what Serve's template has no settings for. Arguments are
# HAProxy's own; `-f FILE` names the configuration that Serve has just written.
# - The statistics and metrics pages are on loopback: the template binds both to every interface. The
#   service's own `bind` stays as it is: for the host 0.0.0.0 Serve writes `*` there too.
# - Where nobody can answer it says so and when to come again: the template says 500, and 404 for as
#   long as a new proxy has not been told of the applications, at which a scraper would give up. Where
#   a replica died over a request (its 502) the next try may come at once.
# - A process that leaves, as at every change of replicas, closes the connections that are idle: it
#   knows the replicas of before only, and would answer one more request on each of them.
# - A request whose replica has died goes to another one after 0.2 s, which is what HAProxy waits
#   before it tries again: the connect timeout, at most 1 s.
# - Who would watch while no replica of the live feed is up is told to come again, not sent to Serve's
#   own proxy (the backup): a stream through that one stays on it, and ends with no close code.
previous=""
for argument in "$@"; do
    if [ "$previous" = "-f" ]; then
        sed -i \
            -e '/^frontend prometheus/,/^ *bind /s/^\( *bind \)\*\{0,1\}:/\1127.0.0.1:/' \
            -e '/^listen stats/,/^ *bind /s/^\( *bind \)\*\{0,1\}:/\1127.0.0.1:/' \
            -e "s|^\( *errorfile 502 \).*|\1$HALFTIME_INTERRUPTED|" \
            -e "s|^\( *errorfile 50[34] \).*|\1$HALFTIME_UNAVAILABLE|" \
            -e "s|^\( *http-request return status \)404 .*|\1503 errorfile $HALFTIME_UNAVAILABLE|" \
            -e 's/^\( *\)\(option idle-close-on-response\)/\1no \2/' \
            -e 's/^\( *timeout connect \).*/\1200ms/' \
            -e '/^backend http-live-feed$/,/^\(backend\|listen\) / { / check backup$/d }' \
            "$argument"
    fi
    previous="$argument"
done
exec "$HALFTIME_HAPROXY" "$@"
