#!/usr/bin/env bash
# Ceph's S3 gateway, one node on loopback, from Debian's packages ceph-mon, ceph-osd, ceph-mgr and radosgw, for the
# session `radosgw` of noxfile.py: S3 at http://127.0.0.1:7480, key rickey, secret ricsecret.
#
#   radosgw.sh start|stop FOLDER     FOLDER holds all of it; it is made, and has to be new
#
# Without tcp_nodelay each read would wait for 40 ms. The keys of cephx are needed: without them the gateway hangs.
set -euo pipefail
mkdir -p "$2"
cd "$2"
folder=$PWD

if [ "$1" = stop ]; then
  for name in client.rgw.a mgr.a osd.0 mon.a; do
    [ ! -f "run/$name.pid" ] || kill -9 "$(cat "run/$name.pid")" 2>/dev/null || true
  done
  exit
fi

mkdir -p run log mon osd mgr gateway
cat >ceph.conf <<CONF
[global]
fsid = $(cat /proc/sys/kernel/random/uuid)
mon host = v2:127.0.0.1:13300
public network = 127.0.0.0/8
cluster network = 127.0.0.0/8
run dir = $folder/run
admin socket = $folder/run/\$cluster-\$name.asok
log file = $folder/log/\$name.log
pid file = $folder/run/\$name.pid
keyring = $folder/keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon data avail warn = 5
ms bind ipv6 = false
[mon.a]
mon data = $folder/mon
[mgr.a]
mgr data = $folder/mgr
mgr initial modules =
[osd.0]
osd data = $folder/osd
bluestore block size = 6442450944
bluestore block create = true
osd memory target = 939524096
[client.rgw.a]
rgw data = $folder/gateway
rgw frontends = beast endpoint=127.0.0.1:7480 tcp_nodelay=1
CONF
key() { ceph-authtool keyring --gen-key "$@" >/dev/null; }
ceph-authtool --create-keyring keyring >/dev/null
key -n mon. --cap mon 'allow *'
key -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' --cap mds 'allow *'
key -n mgr.a --cap mon 'allow profile mgr' --cap osd 'allow *' --cap mds 'allow *'
key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *' --cap mgr 'allow profile osd'
key -n client.rgw.a --cap mon 'allow rw' --cap osd 'allow rwx' --cap mgr 'allow rw'
fsid=$(sed -n 's/^fsid = //p' ceph.conf)
monmaptool --create --fsid "$fsid" --addv a '[v2:127.0.0.1:13300]' monmap >/dev/null
ceph-mon -c ceph.conf --mkfs -i a --monmap monmap --keyring keyring
ceph-mon -c ceph.conf -i a
ceph-mgr -c ceph.conf -i a
disk=$(cat /proc/sys/kernel/random/uuid)
ceph -c ceph.conf osd new "$disk" >/dev/null
ceph-osd -c ceph.conf -i 0 --mkfs --osd-uuid "$disk" --osd-objectstore bluestore
ceph -c ceph.conf osd crush add osd.0 0.005 root=default host=localhost
ceph-osd -c ceph.conf -i 0
radosgw -c ceph.conf -n client.rgw.a
radosgw-admin -c ceph.conf user create --uid tests --display-name tests --access-key rickey --secret-key ricsecret >/dev/null
