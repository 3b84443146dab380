#!/usr/bin/env bash
# Moves etcd's leadership off this server before its machine is paused for a snapshot (facts: Proxmox).
#
# Usage: (no arguments)
leader_away
result leader "$(etcd_ask /v3/maintenance/status | json_value leader || echo unknown)"
# end of step
