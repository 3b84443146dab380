package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v2"

	"rehearsal/rke2/layout"
	"rehearsal/rke2/server"
	"rehearsal/rke2/supervisor"
	"rehearsal/rke2/token"
)

// snapshotTimeout is RKE2's for one operation.
const snapshotTimeout = 2 * time.Minute

func snapshotCommand() *cli.Command {
	flags := func(more ...cli.Flag) []cli.Flag {
		return append([]cli.Flag{
			&cli.StringFlag{Name: "name", Aliases: []string{"etcd-snapshot-name"}, Value: "on-demand", Usage: "(db) Set the base name of etcd snapshots"},
			&cli.StringFlag{Name: "etcd-server", Value: "https://127.0.0.1:9345", Usage: "(cluster) Server with etcd role to connect to for snapshot management commands"},
			&cli.StringFlag{Name: "etcd-token", Usage: "(cluster) Shared secret used to authenticate to etcd server"},
		}, more...)
	}
	return &cli.Command{
		Name: "etcd-snapshot", Usage: "Manage etcd snapshots",
		Subcommands: []*cli.Command{
			{Name: "save", Usage: "Trigger an immediate etcd snapshot", Flags: flags(), Action: saveSnapshot},
			{Name: "delete", Usage: "Delete given snapshot(s)", Flags: flags(), Action: deleteSnapshots},
			{
				Name: "list", Aliases: []string{"ls", "l"}, Usage: "List snapshots", Action: listSnapshots,
				Flags: flags(&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "(db) List format. Default: standard. Optional: json"}),
			},
			{
				Name: "prune", Usage: "Remove snapshots that match the name prefix that exceed the configured retention count", Action: pruneSnapshots,
				Flags: flags(&cli.IntFlag{Name: "snapshot-retention", Aliases: []string{"etcd-snapshot-retention"}, Value: 5, Usage: "(db) Number of snapshots to retain"}),
			},
		},
	}
}

// ask has the supervisor do one operation. Its token is the one on this node.
func ask(c *cli.Context, request supervisor.SnapshotRequest) (result supervisor.SnapshotResult, err error) {
	ctx, cancel := context.WithTimeout(c.Context, snapshotTimeout)
	defer cancel()
	with, err := server.ReadToken(layout.Default)
	if text := c.String("etcd-token"); text != "" {
		with, err = token.Parse(text)
	}
	if err != nil {
		return result, err
	}
	client, err := supervisor.Connect(ctx, c.String("etcd-server"), with, token.Server)
	if err != nil {
		return result, err
	}
	body, err := client.Post(ctx, "/db/snapshot", request)
	if err != nil {
		return result, fmt.Errorf("see server log for details: %w", err)
	}
	return result, json.Unmarshal(body, &result)
}

func saveSnapshot(c *cli.Context) error {
	if c.Args().Present() {
		return errors.New("this command does not take any arguments")
	}
	result, err := ask(c, supervisor.SnapshotRequest{Operation: "save", Name: []string{c.String("name")}})
	for _, name := range result.Created {
		logrus.Infof("Snapshot %s saved.", name)
	}
	return err
}

func deleteSnapshots(c *cli.Context) error {
	names := c.Args().Slice()
	if len(names) == 0 {
		return errors.New("no snapshots given for removal")
	}
	result, err := ask(c, supervisor.SnapshotRequest{Operation: "delete", Name: names})
	if err != nil {
		return err
	}
	for _, name := range result.Deleted {
		logrus.Infof("Snapshot %s deleted.", name)
	}
	for _, name := range names {
		if !slices.Contains(result.Deleted, name) {
			logrus.Warnf("Snapshot %s not found.", name)
		}
	}
	return nil
}

func pruneSnapshots(c *cli.Context) error {
	retention := c.Int("snapshot-retention")
	result, err := ask(c, supervisor.SnapshotRequest{Operation: "prune", Name: []string{c.String("name")}, Retention: &retention})
	for _, name := range result.Deleted {
		logrus.Infof("Snapshot %s deleted.", name)
	}
	return err
}

func listSnapshots(c *cli.Context) error {
	format := c.String("output")
	if !slices.Contains([]string{"", "table", "json"}, format) {
		return errors.New("invalid output format: " + format)
	}
	result, err := ask(c, supervisor.SnapshotRequest{Operation: "list"})
	if err != nil {
		return err
	}
	if format == "json" {
		return json.NewEncoder(os.Stdout).Encode(result.Items)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 1, ' ', 0)
	fmt.Fprint(table, "Name\tLocation\tSize\tCreated\n")
	for _, one := range result.Items {
		fmt.Fprintf(table, "%s\t%s\t%d\t%s\n", one.Name, one.Location, one.Size, one.Created.Format(time.RFC3339))
	}
	return table.Flush()
}
