package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/sirupsen/logrus"
	"github.com/urfave/cli/v2"

	"rehearsal/rke2/layout"
	"rehearsal/rke2/pki"
	"rehearsal/rke2/server"
)

func certificateCommand() *cli.Command {
	return &cli.Command{
		Name: "certificate", Usage: "Manage RKE2 certificates",
		Subcommands: []*cli.Command{{
			Name: "check", Usage: "Check component certificates on disk", Action: checkCertificates,
			Flags: []cli.Flag{&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "text", Usage: "Format output. Options: text, table"}},
		}},
	}
}

// checkCertificates prints every certificate of this node with its end and RKE2's word for it.
func checkCertificates(c *cli.Context) error {
	format := c.String("output")
	if format != "text" && format != "table" {
		return errors.New("invalid output format: " + format)
	}
	kind := "Agent detected, checking agent certificates"
	if layout.Exists(layout.Default.Server()) {
		kind = "Server detected, checking agent and server certificates"
	}
	logrus.Info(kind)
	files, err := server.CertificateFiles(layout.Default)
	if err != nil {
		return err
	}
	now := time.Now()
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 3, ' ', 0)
	if format == "table" {
		fmt.Fprintln(table, "\nFILENAME\tSUBJECT\tUSAGES\tEXPIRES\tRESIDUAL TIME\tSTATUS")
		fmt.Fprintln(table, "--------\t-------\t------\t-------\t-------------\t------")
	}
	for _, file := range files {
		listed, err := pki.Read(file)
		if err != nil {
			return err
		}
		for _, one := range listed {
			name, usages, status := filepath.Base(file), strings.Join(one.Usages, ","), one.Status(now)
			switch {
			case format == "table":
				fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n",
					name, one.Subject, usages, one.Expires.UTC().Format("Jan 02, 2006 15:04 MST"), residual(one.Expires.Sub(now)), status)
			case status == "OK":
				logrus.Infof("%s: certificate %s (%s) is ok, expires at %s", name, one.Subject, usages, one.Expires.Format(time.RFC3339))
			case status == "EXPIRED":
				logrus.Errorf("%s: certificate %s (%s) expired at %s", name, one.Subject, usages, one.Expires.Format(time.RFC3339))
			default:
				logrus.Warnf("%s: certificate %s (%s) will expire within 120 days at %s", name, one.Subject, usages, one.Expires.Format(time.RFC3339))
			}
		}
	}
	return table.Flush()
}

// residual is a time left, in the largest unit that it has one of.
func residual(left time.Duration) string {
	days := int((left + 12*time.Hour).Hours() / 24)
	for _, unit := range []struct {
		name string
		days int
	}{{"year", 365}, {"day", 1}} {
		if count := days / unit.days; count == 1 {
			return "1 " + unit.name
		} else if count > 1 {
			return fmt.Sprintf("%d %ss", count, unit.name)
		}
	}
	return left.Round(time.Minute).String()
}
