#!/usr/bin/env bash
# Installs WANTED from the files that fetch-artifacts.sh left here. Restarts nothing.
#
# Usage: ROLE WANTED
role=$1 wanted=$2
before=$(version_on_disk || true)
install_release "$role" "$wanted"
result before "${before:-unreadable}" installed "$INSTALLED"
# end of step
