// Rke2 stands in for RKE2's own program in the rehearsal: the same commands, configuration, files, ports, log lines
// and order of doing things, over a real etcd, a real control plane and a real kubelet. What it leaves out is listed
// in README.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"

	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v2"

	"rehearsal/rke2/config"
	"rehearsal/rke2/layout"
	"rehearsal/rke2/release"
)

func main() {
	cli.VersionPrinter = func(*cli.Context) {
		fmt.Printf("rke2 version %s (%s)\ngo version %s\n", release.Version, release.Commit, runtime.Version())
	}
	app := &cli.App{
		Name: "rke2", Usage: "Rancher Kubernetes Engine 2 (stand-in of the rehearsal)", Version: release.Version,
		DisableSliceFlagSeparator: true, // as in RKE2: a list has one flag an element
		Flags:                     []cli.Flag{&cli.BoolFlag{Name: "debug", Usage: "turn on debug logs"}},
		Commands:                  []*cli.Command{serverCommand(), agentCommand(), snapshotCommand(), certificateCommand()},
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if err := app.RunContext(ctx, withConfigFile(app, os.Args)); err != nil {
		logrus.Fatal(err)
	}
}

// withConfigFile puts the configuration file's arguments in front of those of the command that is called. Keys that
// the command has no flag for are named in a warning by the services, and passed over in silence by the others.
func withConfigFile(app *cli.App, args []string) []string {
	path, at := called(app.Commands, args)
	if path == nil {
		return args
	}
	flags := path.Flags
	known := func(key string) bool {
		return slices.ContainsFunc(flags, func(flag cli.Flag) bool { return slices.Contains(flag.Names(), key) })
	}
	file := configFile()
	fromFile, unknown, err := config.Args(file, known)
	if err != nil {
		logrus.Fatal(err)
	}
	if path.Name == "server" || path.Name == "agent" {
		for _, key := range unknown {
			logrus.Warnf("Unknown flag --%s found in config.yaml, skipping\n", key)
		}
	}
	return slices.Insert(slices.Clone(args), at, fromFile...)
}

// called finds the command that the arguments name, subcommands included, and where its own arguments begin.
func called(commands []*cli.Command, args []string) (found *cli.Command, at int) {
	for at = 1; at < len(args); at++ {
		index := slices.IndexFunc(commands, func(command *cli.Command) bool { return command.HasName(args[at]) })
		if index < 0 {
			return found, at
		}
		found, commands = commands[index], commands[index].Subcommands
	}
	return found, at
}

func configFile() string {
	if file := os.Getenv("RKE2_CONFIG_FILE"); file != "" {
		return file
	}
	return layout.Default.Config + "/config.yaml"
}
