// Containerd stands in for containerd and its shim (see package cri), and is also crictl and the small web server that the
// rehearsal's workloads run. Which of them it is goes by the name it is called. It is not part of kube, whose start-up every
// container's shim would pay for.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"google.golang.org/grpc"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"

	"rehearsal/kubernetes/cri"
	"rehearsal/kubernetes/crictl"
)

func main() {
	var err error
	switch filepath.Base(os.Args[0]) {
	case cri.ShimName:
		err = cri.RunShim(".")
	case "crictl":
		if crictl.NewCommand().Execute() != nil { // which has said why
			os.Exit(1)
		}
	case "http":
		err = respond(os.Args[1:])
	default:
		err = serve(os.Args[1:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve is containerd, until SIGTERM. Containers go on without it.
func serve(args []string) error {
	flags := flag.NewFlagSet("containerd", flag.ExitOnError)
	var options cri.Options
	flags.StringVar(&options.Root, "root", "/var/lib/rancher/rke2/agent/containerd", "folder of what outlives a reboot")
	flags.StringVar(&options.State, "state", "/run/k3s/containerd", "folder of what does not")
	flags.StringVar(&options.Address, "address", "/run/k3s/containerd/containerd.sock", "path of the socket to serve")
	flags.StringVar(&options.Images, "images", "/usr/share/rehearsal/images", "folder that stands for the registry")
	if err := flags.Parse(args); err != nil {
		return err
	}
	runtime, images, err := cri.New(options)
	if err != nil {
		return fmt.Errorf("failed to load the state: %w", err)
	}
	listener, err := listen(options.Address)
	if err != nil {
		return err
	}
	const maxMessage = 16 << 20 // as containerd's own
	server := grpc.NewServer(grpc.MaxRecvMsgSize(maxMessage), grpc.MaxSendMsgSize(maxMessage))
	runtimeapi.RegisterRuntimeServiceServer(server, runtime)
	runtimeapi.RegisterImageServiceServer(server, images)
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	context.AfterFunc(ctx, server.Stop)
	log.Printf("containerd of the rehearsal serves %s", options.Address)
	return server.Serve(listener)
}

// listen replaces a socket that a killed predecessor left.
func listen(address string) (net.Listener, error) {
	if err := os.MkdirAll(filepath.Dir(address), 0o711); err != nil {
		return nil, err
	}
	if err := os.Remove(address); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return net.Listen("unix", address)
}

// respond is a web server with one answer, until SIGTERM.
func respond(args []string) error {
	flags := flag.NewFlagSet("http", flag.ExitOnError)
	address := flags.String("listen", ":80", "address to listen at")
	body := flags.String("body", "ok", "what to answer every request")
	if err := flags.Parse(args); err != nil {
		return err
	}
	server := &http.Server{Addr: *address, ReadHeaderTimeout: 10 * time.Second}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		log.Printf("%s %s %s", r.RemoteAddr, r.Method, r.URL)
		fmt.Fprintln(w, *body)
	})
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	context.AfterFunc(ctx, func() {
		shutdown, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(shutdown)
	})
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
