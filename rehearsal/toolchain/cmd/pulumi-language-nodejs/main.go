// pulumi-language-nodejs stands in for Pulumi's Node.js language host, which no package registry carries. It starts
// @pulumi/pulumi/cmd/run with the arguments and environment of the official one, and reads its exit as that does.
// It runs programs; it neither generates code nor runs plugins or policy packs.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/common/version"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
)

func main() {
	tracing := flag.String("tracing", "", "passed on to the program")
	showVersion := flag.Bool("version", false, "print the version and exit")
	flag.Parse()
	if *showVersion {
		fmt.Println(version.Version)
		return
	}
	if err := serve(flag.Arg(0), *tracing); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve prints its port, by which the engine finds it, and answers until it is interrupted or the engine is gone.
// The engine's address may be empty: then Handshake brings it.
func serve(engine, tracing string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	cancel := make(chan bool)
	go func() {
		<-ctx.Done()
		close(cancel)
	}()
	host := newHost(engine, tracing, stop)
	if engine != "" {
		if err := host.watchEngine(ctx); err != nil {
			return err
		}
	}
	server, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: cancel,
		Init: func(server *grpc.Server) error {
			pulumirpc.RegisterLanguageRuntimeServer(server, host)
			return nil
		},
	})
	if err != nil {
		return fmt.Errorf("could not start language host RPC server: %w", err)
	}
	fmt.Println(server.Port)
	if err := <-server.Done; err != nil {
		return fmt.Errorf("language host RPC stopped serving: %w", err)
	}
	return nil
}

// engineSilence is how long the engine may leave a health check unanswered before the host ends itself.
const engineSilence = 5 * time.Minute
