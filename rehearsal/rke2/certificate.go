package main

import (
	"path/filepath"
	"strings"
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
		}},
	}
}

// checkCertificates prints every certificate of this node with its end and RKE2's word for it.
func checkCertificates(*cli.Context) error {
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
	for _, file := range files {
		listed, err := pki.Read(file)
		if err != nil {
			return err
		}
		for _, one := range listed {
			name, usages, status := filepath.Base(file), strings.Join(one.Usages, ","), one.Status(now)
			switch status {
			case "OK":
				logrus.Infof("%s: certificate %s (%s) is ok, expires at %s", name, one.Subject, usages, one.Expires.Format(time.RFC3339))
			case "EXPIRED":
				logrus.Errorf("%s: certificate %s (%s) expired at %s", name, one.Subject, usages, one.Expires.Format(time.RFC3339))
			default:
				logrus.Warnf("%s: certificate %s (%s) will expire within 120 days at %s", name, one.Subject, usages, one.Expires.Format(time.RFC3339))
			}
		}
	}
	return nil
}
