# Certificates and kubeconfigs of one server node, by openssl. Sourced by node.sh.
# shellcheck shell=bash

# make_ca FOLDER: the one certificate authority that signs all.
make_ca() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=smoke-ca \
    -keyout "$1/ca.key" -out "$1/ca.crt" 2> "$1/openssl.log"
  openssl genrsa -out "$1/service-account.key" 2048 2>> "$1/openssl.log"
}

# issue FOLDER NAME SUBJECT: NAME.key and NAME.crt, for client and server use at the node's addresses.
issue() {
  local folder=$1 name=$2 subject=$3
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "$subject" \
    -keyout "$folder/$name.key" -out "$folder/$name.csr" 2>> "$folder/openssl.log"
  openssl x509 -req -in "$folder/$name.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -CAcreateserial -days 2 \
    -extfile <(echo "subjectAltName=DNS:localhost,DNS:kubernetes.default.svc,IP:127.0.0.1,IP:10.43.0.1,IP:$NODE_IP") \
    -out "$folder/$name.crt" 2>> "$folder/openssl.log"
}

# kubeconfig FOLDER NAME: NAME.kubeconfig for the local API server with NAME's certificate.
kubeconfig() {
  cat > "$1/$2.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters: [{name: smoke, cluster: {server: "https://127.0.0.1:6443", certificate-authority: $1/ca.crt}}]
users: [{name: $2, user: {client-certificate: $1/$2.crt, client-key: $1/$2.key}}]
contexts: [{name: smoke, context: {cluster: smoke, user: $2}}]
current-context: smoke
YAML
}
