package server

import (
	"fmt"

	"rehearsal/rke2/etcd"
	"rehearsal/rke2/layout"
	"rehearsal/rke2/node"
	"rehearsal/rke2/release"
	"rehearsal/rke2/staticpod"
)

// Thresholds of RKE2's probes. Its start-up probes first ask after ten seconds and then every ten; here after two, so
// that a control plane is seen to be ready when it is.
const (
	livenessPeriod, livenessFailures   = 10, 8
	readinessPeriod, readinessFailures = 10, 3
	startupPeriod, startupFailures     = 2, 120
)

// nodeMonitorGracePeriod is shorter than Kubernetes' 50 s: nobody wants to wait a minute to see a node fail.
const nodeMonitorGracePeriod = "20s"

// controlPlane makes the pods of one server.
type controlPlane struct {
	config *Config
	member *etcd.Member
}

// pod fills in what all four have in common.
func (p controlPlane) pod(name, image, cpu, memory string, args []string, probes ...staticpod.Probe) staticpod.Pod {
	return staticpod.Pod{
		Name: name, Image: image, CPU: cpu, Memory: memory, Probes: probes, Data: p.config.Layout.Server(),
		Args: node.MergeArgs(args, p.config.ExtraArgs[name]),
		Env:  []staticpod.Variable{{Name: "REHEARSAL_RELEASE", Value: release.Version}},
	}
}

func (p controlPlane) etcd() staticpod.Pod {
	health := staticpod.Probe{Path: "/health?serializable=true", Scheme: "HTTP", Port: etcd.MetricsPort}
	pod := p.pod("etcd", release.EtcdImage(), "200m", "512Mi", []string{"--config-file=" + p.member.ConfigFile()},
		liveness(health), startup(health))
	pod.Env = nil // etcd reports its own version
	return pod
}

func (p controlPlane) apiServer() staticpod.Pod {
	l := p.config.Layout
	tls := func(file string) string { return l.TLS(file) }
	args := []string{
		"--advertise-address=" + p.config.Node.IP,
		"--allow-privileged=true",
		"--anonymous-auth=false",
		"--api-audiences=https://kubernetes.default.svc." + clusterDomain + ",rke2",
		"--authorization-mode=Node,RBAC",
		"--bind-address=0.0.0.0",
		"--cert-dir=" + tls("temporary-certs"),
		"--client-ca-file=" + tls("client-ca.crt"),
		"--enable-admission-plugins=NodeRestriction",
		"--enable-aggregator-routing=true",
		"--enable-bootstrap-token-auth=true",
		"--etcd-cafile=" + tls("etcd/server-ca.crt"),
		"--etcd-certfile=" + tls("etcd/client.crt"),
		"--etcd-keyfile=" + tls("etcd/client.key"),
		fmt.Sprintf("--etcd-servers=https://127.0.0.1:%d", etcd.ClientPort),
		"--kubelet-certificate-authority=" + tls("server-ca.crt"),
		"--kubelet-client-certificate=" + tls("client-kube-apiserver.crt"),
		"--kubelet-client-key=" + tls("client-kube-apiserver.key"),
		"--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
		"--profiling=false",
		"--proxy-client-cert-file=" + tls("client-auth-proxy.crt"),
		"--proxy-client-key-file=" + tls("client-auth-proxy.key"),
		"--requestheader-allowed-names=system:auth-proxy",
		"--requestheader-client-ca-file=" + tls("request-header-ca.crt"),
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-username-headers=X-Remote-User",
		"--secure-port=6443",
		"--service-account-issuer=https://kubernetes.default.svc." + clusterDomain,
		"--service-account-key-file=" + tls("service.key"),
		"--service-account-signing-key-file=" + tls("service.key"),
		"--service-cluster-ip-range=" + serviceCIDR,
		"--service-node-port-range=30000-32767",
		"--storage-backend=etcd3",
		"--tls-cert-file=" + tls("serving-kube-apiserver.crt"),
		"--tls-private-key-file=" + tls("serving-kube-apiserver.key"),
	}
	// Nothing answers without credentials, so the probes bring some.
	ask := func(path string) staticpod.Probe {
		return staticpod.Probe{Command: []string{
			"kubectl", "get", "--server=https://localhost:6443/", "--client-certificate=" + tls("client-kube-apiserver.crt"),
			"--client-key=" + tls("client-kube-apiserver.key"), "--certificate-authority=" + tls("server-ca.crt"), "--raw=" + path,
		}}
	}
	return p.pod("kube-apiserver", release.KubernetesImage(), "250m", "1024Mi", args,
		liveness(ask("/livez")), readiness(ask("/readyz")), startup(ask("/livez")))
}

func (p controlPlane) controllerManager() staticpod.Pod {
	l := p.config.Layout
	args := []string{
		"--flex-volume-plugin-dir=/var/lib/kubelet/volumeplugins",
		"--terminated-pod-gc-threshold=1000",
		"--permit-port-sharing=true",
		"--allocate-node-cidrs=true",
		"--bind-address=127.0.0.1",
		"--cluster-cidr=" + clusterCIDR,
		"--configure-cloud-routes=false",
		"--controllers=*,tokencleaner",
		"--node-monitor-grace-period=" + nodeMonitorGracePeriod,
		"--profiling=false",
		"--root-ca-file=" + l.TLS("server-ca.crt"),
		"--secure-port=10257",
		"--service-account-private-key-file=" + l.TLS("service.key"),
		"--service-cluster-ip-range=" + serviceCIDR,
		"--tls-cert-file=" + l.TLS("kube-controller-manager/kube-controller-manager.crt"),
		"--tls-private-key-file=" + l.TLS("kube-controller-manager/kube-controller-manager.key"),
		"--use-service-account-credentials=true",
	}
	for signer, authority := range map[string]string{
		"kube-apiserver-client": "client-ca", "kubelet-client": "client-ca", "kubelet-serving": "server-ca", "legacy-unknown": "server-ca",
	} {
		args = append(args,
			"--cluster-signing-"+signer+"-cert-file="+l.TLS(authority+".crt"),
			"--cluster-signing-"+signer+"-key-file="+l.TLS(authority+".key"))
	}
	args = sorted(append(args, kubeconfigArgs(l, "controller")...))
	health := staticpod.Probe{Path: "/healthz", Scheme: "HTTPS", Port: 10257}
	return p.pod("kube-controller-manager", release.KubernetesImage(), "200m", "256Mi", args, liveness(health), startup(health))
}

func (p controlPlane) scheduler() staticpod.Pod {
	l := p.config.Layout
	args := append([]string{
		"--permit-port-sharing=true",
		"--bind-address=127.0.0.1",
		"--profiling=false",
		"--secure-port=10259",
		"--tls-cert-file=" + l.TLS("kube-scheduler/kube-scheduler.crt"),
		"--tls-private-key-file=" + l.TLS("kube-scheduler/kube-scheduler.key"),
	}, kubeconfigArgs(l, "scheduler")...)
	alive, ready := staticpod.Probe{Path: "/livez", Scheme: "HTTPS", Port: 10259}, staticpod.Probe{Path: "/readyz", Scheme: "HTTPS", Port: 10259}
	return p.pod("kube-scheduler", release.KubernetesImage(), "100m", "128Mi", args, liveness(alive), readiness(ready), startup(alive))
}

// kubeconfigArgs let a program authenticate itself and ask who authenticates to it.
func kubeconfigArgs(l layout.Layout, name string) []string {
	file := l.Server("cred", name+".kubeconfig")
	return []string{"--kubeconfig=" + file, "--authentication-kubeconfig=" + file, "--authorization-kubeconfig=" + file}
}

func liveness(probe staticpod.Probe) staticpod.Probe {
	probe.Kind, probe.PeriodSeconds, probe.FailureThreshold = "livenessProbe", livenessPeriod, livenessFailures
	return probe
}

func readiness(probe staticpod.Probe) staticpod.Probe {
	probe.Kind, probe.PeriodSeconds, probe.FailureThreshold = "readinessProbe", readinessPeriod, readinessFailures
	return probe
}

func startup(probe staticpod.Probe) staticpod.Probe {
	probe.Kind, probe.PeriodSeconds, probe.FailureThreshold = "startupProbe", startupPeriod, startupFailures
	return probe
}
