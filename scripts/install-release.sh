#!/usr/bin/env bash
# Installs WANTED from the files that fetch-artifacts.sh left here. Restarts nothing.
#
# Usage: ROLE WANTED
role=$1 wanted=$2
before=$(version_on_disk || true)
if [ "$before" = "$wanted" ]; then
  say "$wanted is installed"
  result before "$before" installed false
  exit 0
fi
dir=$STATE/artifacts/$wanted
(cd "$dir" && grep 'rke2\.linux-.*\.tar\.gz$' sha256sum-*.txt | sha256sum -c --status -) 2>/dev/null ||
  fail "the release files in $dir are missing or damaged" "nothing was changed here. Have them fetched again: pulumi state taint URN, with the URN of $(hostname)-fetch-artifacts from pulumi stack --show-urns; then pulumi up"
say "installing $wanted over ${before:-an unreadable version}"
# INSTALL_RKE2_ARTIFACT_PATH ignores the version asked for (facts: install.sh): what was installed is asked after.
INSTALL_RKE2_ARTIFACT_PATH=$dir INSTALL_RKE2_TYPE=$role INSTALL_RKE2_METHOD=tar INSTALL_RKE2_VERSION=$wanted \
  sh "$dir/install.sh" </dev/null 2>&1 || fail "RKE2's install script failed" "read its output above; the service still runs ${before:-the old version}; run pulumi up again"
after=$(version_on_disk || true)
[ "$after" = "$wanted" ] || fail "installed, but rke2 --version says ${after:-nothing}, not $wanted" "the tarball in $dir is not of $wanted: have the mirror checked, then fetch again (pulumi state taint of $(hostname)-fetch-artifacts)"
result before "${before:-unreadable}" installed true
# end of step
