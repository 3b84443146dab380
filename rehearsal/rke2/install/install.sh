#!/bin/sh
# Installs RKE2 from a release's tarball, as https://get.rke2.io does. This is the rehearsal's own script with the same
# environment, messages and results for the tar method; there is no rpm method here.
#
#   INSTALL_RKE2_VERSION        release to install, as v1.35.4+rke2r1; without it the channel's
#   INSTALL_RKE2_CHANNEL        stable by default; INSTALL_RKE2_CHANNEL_URL says where channels are looked up
#   INSTALL_RKE2_TYPE           server (default) or agent; INSTALL_RKE2_EXEC is the same. Of no effect for tar
#   INSTALL_RKE2_METHOD         tar
#   INSTALL_RKE2_TAR_PREFIX     /usr/local, or /opt/rke2 where that is read-only or a mount point
#   INSTALL_RKE2_ARTIFACT_PATH  folder with tarball and checksums: nothing is downloaded, VERSION is ignored
#   INSTALL_RKE2_ARTIFACT_URL   where releases are downloaded from: <URL>/<version>/<file>
#   INSTALL_RKE2_SKIP_RELOAD    set: systemd is not told of the new units
set -e

if [ "${DEBUG}" = 1 ]; then
  set -x
fi

DEFAULT_TAR_PREFIX=/usr/local

info() { echo "[INFO] " "$@"; }
warn() { echo "[WARN] " "$@" >&2; }
fatal() {
  echo "[ERROR] " "$@" >&2
  exit 1
}

# is_unfit DIRECTORY: whether it is a mount point or cannot be written to
is_unfit() {
  mountpoint -q "$1" || ! { touch "$1/.rke2-ro-test" && rm -f "$1/.rke2-ro-test"; } 2>/dev/null
}

setup_env() {
  [ "$(id -u)" -eq 0 ] || fatal "You need to be root to perform this install"
  : "${INSTALL_RKE2_CHANNEL:=stable}"
  : "${INSTALL_RKE2_TYPE:=${INSTALL_RKE2_EXEC:-server}}"
  : "${INSTALL_RKE2_CHANNEL_URL:=https://update.rke2.io/v1-release/channels}"
  : "${INSTALL_RKE2_ARTIFACT_URL:=https://github.com/rancher/rke2/releases/download}"
  case ${INSTALL_RKE2_METHOD:-tar} in
    tar) ;;
    *) fatal "the rehearsal has no ${INSTALL_RKE2_METHOD} packages: only INSTALL_RKE2_METHOD=tar" ;;
  esac
  if [ -z "${INSTALL_RKE2_TAR_PREFIX}" ]; then
    INSTALL_RKE2_TAR_PREFIX=${DEFAULT_TAR_PREFIX}
    if is_unfit "${INSTALL_RKE2_TAR_PREFIX}"; then
      INSTALL_RKE2_TAR_PREFIX=/opt/rke2
      warn "${DEFAULT_TAR_PREFIX} is read-only or a mount point; installing to ${INSTALL_RKE2_TAR_PREFIX}"
    fi
  fi
  if rpm -q rke2-common >/dev/null 2>&1; then
    fatal "Cannot perform ${INSTALL_RKE2_METHOD:-tar} install on host with existing RKE2 RPMs - please run rke2-uninstall.sh first"
  fi
}

setup_arch() {
  case ${ARCH:=$(uname -m)} in
    x86_64 | amd64) ARCH=amd64 ;;
    aarch64 | arm64) ARCH=arm64 ;;
    *) fatal "unsupported architecture ${ARCH}" ;;
  esac
  SUFFIX=linux-${ARCH}
}

# shellcheck disable=SC2317 # called by a trap
cleanup() {
  code=$?
  trap - EXIT
  rm -rf "${TMP_DIR}"
  exit "${code}"
}

setup_tmp() {
  TMP_DIR=$(mktemp -d -t rke2-install.XXXXXXXXXX)
  TMP_CHECKSUMS=${TMP_DIR}/rke2.checksums
  TMP_TARBALL=${TMP_DIR}/rke2.tarball
  trap cleanup INT EXIT
}

get_release_version() {
  if [ -z "${INSTALL_RKE2_VERSION}" ]; then
    info "finding release for channel ${INSTALL_RKE2_CHANNEL}"
    INSTALL_RKE2_VERSION=$(curl -w '%{url_effective}' -fLsS "${INSTALL_RKE2_CHANNEL_URL}/${INSTALL_RKE2_CHANNEL}" -o /dev/null | sed -e 's|.*/||')
    [ -n "${INSTALL_RKE2_VERSION}" ] || fatal "no release for channel ${INSTALL_RKE2_CHANNEL}"
  fi
  VERSION_URLSAFE=$(echo "${INSTALL_RKE2_VERSION}" | sed 's/+/%2B/g')
}

download() {
  curl -o "$1" -fsSL "$2" || fatal "download failed"
}

download_release() {
  command -v curl >/dev/null 2>&1 || fatal "can not find curl or wget for downloading files"
  get_release_version
  info "using ${INSTALL_RKE2_VERSION} as release"
  CHECKSUMS_URL=${INSTALL_RKE2_ARTIFACT_URL}/${VERSION_URLSAFE}/sha256sum-${ARCH}.txt
  info "downloading checksums at ${CHECKSUMS_URL}"
  download "${TMP_CHECKSUMS}" "${CHECKSUMS_URL}"
  TARBALL_URL=${INSTALL_RKE2_ARTIFACT_URL}/${VERSION_URLSAFE}/rke2.${SUFFIX}.tar.gz
  info "downloading tarball at ${TARBALL_URL}"
  download "${TMP_TARBALL}" "${TARBALL_URL}"
}

stage_local_release() {
  info "staging local checksums from ${INSTALL_RKE2_ARTIFACT_PATH}/sha256sum-${ARCH}.txt"
  cp -f "${INSTALL_RKE2_ARTIFACT_PATH}/sha256sum-${ARCH}.txt" "${TMP_CHECKSUMS}"
  info "staging tarball from ${INSTALL_RKE2_ARTIFACT_PATH}/rke2.${SUFFIX}.tar.gz"
  cp -f "${INSTALL_RKE2_ARTIFACT_PATH}/rke2.${SUFFIX}.tar.gz" "${TMP_TARBALL}"
}

verify_tarball() {
  info "verifying tarball"
  CHECKSUM_EXPECTED=$(grep "rke2.${SUFFIX}.tar.gz" "${TMP_CHECKSUMS}" | awk '{print $1}')
  CHECKSUM_ACTUAL=$(sha256sum "${TMP_TARBALL}" | awk '{print $1}')
  if [ "${CHECKSUM_EXPECTED}" != "${CHECKSUM_ACTUAL}" ]; then
    fatal "download sha256 does not match ${CHECKSUM_EXPECTED}, got ${CHECKSUM_ACTUAL}"
  fi
}

unpack_tarball() {
  info "unpacking tarball file to ${INSTALL_RKE2_TAR_PREFIX}"
  mkdir -p "${INSTALL_RKE2_TAR_PREFIX}"
  tar xzf "${TMP_TARBALL}" -C "${INSTALL_RKE2_TAR_PREFIX}"
  if [ "${INSTALL_RKE2_TAR_PREFIX}" != "${DEFAULT_TAR_PREFIX}" ]; then
    info "updating tarball contents to reflect install path"
    sed -i "s|${DEFAULT_TAR_PREFIX}|${INSTALL_RKE2_TAR_PREFIX}|" \
      "${INSTALL_RKE2_TAR_PREFIX}"/lib/systemd/system/rke2-*.service "${INSTALL_RKE2_TAR_PREFIX}/bin/rke2-uninstall.sh"
    info "moving systemd units to /etc/systemd/system"
    mv -f "${INSTALL_RKE2_TAR_PREFIX}"/lib/systemd/system/rke2-*.service /etc/systemd/system/
    info "install complete; you may want to run:  export PATH=\$PATH:${INSTALL_RKE2_TAR_PREFIX}/bin"
  fi
}

do_install() {
  setup_env
  setup_arch
  setup_tmp
  if [ -n "${INSTALL_RKE2_ARTIFACT_PATH}" ]; then
    stage_local_release
  else
    download_release
  fi
  verify_tarball
  unpack_tarball
  if [ -z "${INSTALL_RKE2_SKIP_RELOAD}" ]; then
    systemctl daemon-reload
  fi
}

do_install
exit 0
