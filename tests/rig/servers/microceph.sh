#!/bin/bash
# A Ceph cluster of one node on loopback, for tests of S3: a monitor, one OSD that keeps its objects
# in memory, and radosgw.
#
#   microceph.sh PORT MON_PORT ACCESS_KEY SECRET_KEY
#
# Prints "ready" once radosgw answers on 127.0.0.1:PORT. Each line on its standard input kills
# radosgw, which then starts again; the objects stay. Runs until its standard input ends, then kills
# the daemons and deletes its folder. A failed start does the same and exits with 1, after printing
# the end of the logs on standard error. From a terminal: `sleep infinity | microceph.sh ...`.
#
# 1. This shell outlives the cluster. The cluster is a job with its own process group, so one kill
#    ends all of it, even in the middle of a start.
# 2. Nothing outside of the folder is written, and no configuration of the machine is read.
# 3. Authentication between the daemons is off: they listen on loopback only.
set -euo pipefail
port=$1 mon_port=$2 access_key=$3 secret_key=$4

# Short, because the paths of the daemons' sockets may have 107 bytes; 0700, because of the keys.
dir=$(mktemp -d /tmp/microceph.XXXXXXXX)
export CEPH_CONF=$dir/ceph.conf
unset CEPH_ARGS

fsid=6d3bfb3e-3c1a-4a2c-9d0b-0123456789ab
osd_uuid=11111111-2222-3333-4444-555555555555

write_conf() {
  cat >"$dir/ceph.conf" <<CONF
[global]
fsid = $fsid
auth_cluster_required = none
auth_service_required = none
auth_client_required = none
keyring = /dev/null
mon_host = v1:127.0.0.1:$mon_port
ms_bind_ipv4 = true
ms_bind_msgr2 = false
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
run_dir = $dir/run
crash_dir = $dir/crash
log_file = $dir/\$name.log
admin_socket = $dir/run/\$name.\$pid.asok
# One copy, few placement groups, no warnings about either.
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 8
osd_pool_default_pgp_num = 8
osd_pool_default_pg_autoscale_mode = off
osd_crush_chooseleaf_type = 0
mon_allow_pool_size_one = true
mon_warn_on_pool_no_redundancy = false
# The monitor stops itself on a disk that is fuller than this.
mon_data_avail_crit = 1
# Objects in memory; the size is a ceiling, not a reservation.
osd_objectstore = memstore
memstore_device_bytes = 2147483648
# radosgw keeps its indexes with the help of classes loaded into the OSD.
osd_class_load_list = *
osd_class_default_list = *
[mon.a]
mon_data = $dir/mon
[osd.0]
osd_data = $dir/osd0
[client.rgw]
rgw_data = $dir/rgw
rgw_frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw_enable_usage_log = false
rgw_dynamic_resharding = false
# Deleted data leave memory within seconds, not hours.
rgw_gc_obj_min_wait = 5
rgw_gc_processor_period = 10
rgw_gc_processor_max_time = 10
CONF
}

# until_ok COMMAND...: repeats the command until it succeeds. Commands also succeed when their
# daemon has ended.
until_ok() {
  until "$@" >/dev/null 2>&1; do
    sleep 0.1
  done
}

# step WORDS...: prints the progress of the start on standard error, for the report of a timeout.
step() { echo "microceph: $*" >&5; }

# asked COMMAND...: repeats a request to the monitor that is lost on the way. All these requests are
# idempotent.
asked() {
  until timeout --foreground --kill-after=5 60 "$@"; do
    kill -0 "$monitor"
    sleep 0.1
  done
}

# A busy machine takes its time to answer.
monitor_answers() { timeout --foreground 60 ceph -s; }
monitor_answers_or_gone() { monitor_answers || ! kill -0 "$monitor"; }
osd_is_up() { timeout --foreground 60 ceph osd stat | grep -q '1 up'; }
osd_is_up_or_gone() { osd_is_up || ! kill -0 "$osd"; }

gateway_answers() { (exec 5<>"/dev/tcp/127.0.0.1/$port"); }
gateway_answers_or_gone() { gateway_answers || ! kill -0 "$gateway"; }

start_monitor() {
  monmaptool --create --fsid "$fsid" --addv a "[v1:127.0.0.1:$mon_port]" "$dir/monmap"
  ceph-mon -i a --mkfs --monmap "$dir/monmap"
  ceph-mon -i a -f &
  monitor=$!
  until_ok monitor_answers_or_gone
  kill -0 "$monitor" # what answers must be ours: the port may have been taken
}

start_osd() {
  asked ceph osd new "$osd_uuid"
  asked ceph osd crush add osd.0 1 root=default host=localhost
  asked ceph-osd -i 0 --mkfs --osd-uuid "$osd_uuid"
  # Now and then ceph-osd asks for the cluster's id before it has the monitor's map, and exits with
  # "wrong fsid". It is then started again.
  for _ in 1 2 3 4 5 6; do
    ceph-osd -i 0 -f &
    osd=$!
    until_ok osd_is_up_or_gone
    ! osd_is_up || return 0
    wait "$osd" || true
  done
  return 1
}

run_gateway() {
  radosgw -n client.rgw -f &
  gateway=$!
  echo "$gateway" >"$dir/gateway.pid.new"
  mv "$dir/gateway.pid.new" "$dir/gateway.pid"
}

# The first request makes the pools, which takes its time on a busy machine.
admin() { timeout --foreground --kill-after=5 200 radosgw-admin -n client.rgw "$@"; }

start_gateway() {
  run_gateway
  step "the gateway runs"
  until admin user create --uid=test --display-name=test --access-key="$access_key" \
    --secret-key="$secret_key" || admin user info --uid=test; do
    kill -0 "$gateway" "$monitor"
    sleep 0.1
  done
  step "there is a user"
  until_ok gateway_answers_or_gone
  kill -0 "$gateway" # as above
}

# `set -e` must hold inside, so this is never the condition of an `if` or `||`.
cluster() {
  set +m # its processes stay in its group
  exec 3>&1 5>&2 >"$dir/cluster.log" 2>&1 </dev/null
  mkdir "$dir"/{mon,osd0,run,rgw,crash}
  write_conf
  start_monitor
  step "the monitor answers"
  start_osd
  step "the OSD is up"
  start_gateway
  echo ready >&3
  exec 3>&- 5>&-
  while true; do
    wait -n "$monitor" "$osd" "$gateway" || true
    # The first to end takes the others with it, unless this script ended it.
    [[ -e $dir/restarting ]] || return 1
    kill -0 "$monitor"
    kill -0 "$osd"
    rm "$dir/restarting"
    run_gateway
  done
}

restart_gateway_at_each_line() {
  local killed
  while read -r _; do
    killed=$(<"$dir/gateway.pid")
    touch "$dir/restarting"
    kill -KILL "$killed"
    # One after the other, regardless of how slow the start is.
    while [[ $(<"$dir/gateway.pid") == "$killed" ]]; do
      sleep 0.1
    done
  done
}

stop() {
  [[ -z ${cluster:-} ]] || kill -KILL -- "-$cluster" 2>/dev/null || true
  [[ -z ${watch:-} ]] || kill -KILL -- "-$watch" 2>/dev/null || true
  wait
  rm -rf "$dir"
}
trap stop EXIT

set -m # every job a process group of its own
exec 4<&0
restart_gateway_at_each_line <&4 &
watch=$!
exec 4<&-
cluster &
cluster=$!
status=0
wait -n "$watch" "$cluster" || status=$?
if ! kill -0 "$cluster" 2>/dev/null; then
  echo "microceph: the cluster ended with status $status" >&2
  tail -n 25 "$dir"/cluster.log >&2
  exit 1
fi
