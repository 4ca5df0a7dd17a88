// The website operator of the fleet benchmark on controller-runtime, for every project of a Milo API server.
//
// What multicluster-runtime would bring is written by hand in projects.go, in its shape.
package main

import (
	"bufio"
	"context"
	"flag"
	"fmt"
	"os"
	"time"

	"go.uber.org/zap/zapcore"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log/zap"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

func main() {
	workers := flag.Int("workers", 64, "MaxConcurrentReconciles")
	resync := flag.Duration("resync", 0, "RequeueAfter of every reconcile that succeeds")
	atOnce := flag.Int("engage-at-once", 1, "MaxConcurrentReconciles of the projects")
	waits := flag.Bool("wait-for-caches", false, "engage the next project when the caches of one are filled")
	flag.Parse()
	if err := run(*workers, *resync, *atOnce, *waits); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(workers int, resync time.Duration, atOnce int, waits bool) error {
	ctrl.SetLogger(zap.New(zap.Level(zapcore.ErrorLevel)))
	scheme := runtime.NewScheme()
	if err := clientgoscheme.AddToScheme(scheme); err != nil {
		return err
	}
	if err := addToScheme(scheme); err != nil {
		return err
	}
	// That of the flag `kubeconfig`, which controller-runtime brings.
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return err
	}
	// No limit of the client's own: the server is to say when it is too much.
	cfg.QPS = -1
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme:  scheme,
		Metrics: metricsserver.Options{BindAddress: "0"},
		Cache:   cache.Options{DefaultTransform: cache.TransformStripManagedFields()},
		// Projects have no Go type here, and would be read from the server each time.
		Client: client.Options{Cache: &client.CacheOptions{Unstructured: true}},
	})
	if err != nil {
		return err
	}
	projects := &Projects{local: mgr, waits: waits, engaged: map[string]engagement{}}
	reconciler := &WebsiteReconciler{projects: projects, resync: resync}
	projects.websites, err = controller.NewTyped("website", mgr, controller.TypedOptions[Request]{
		Reconciler:              reconciler,
		MaxConcurrentReconciles: workers,
	})
	if err != nil {
		return err
	}
	if err := projects.SetupWithManager(mgr, atOnce); err != nil {
		return err
	}

	ctx, stop := context.WithCancel(ctrl.SetupSignalHandler())
	go func() {
		// Each line asks how many reconciles there were; the end of them is the end of the process.
		for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
			fmt.Println(reconciler.count.Load())
		}
		stop()
	}()
	fmt.Println("ready")
	return mgr.Start(ctx)
}
