// SPDX-License-Identifier: Apache-2.0
package fhirapp.hapi;

import ca.uhn.fhir.rest.server.RestfulServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import org.eclipse.jetty.ee10.servlet.ServletContextHandler;
import org.eclipse.jetty.ee10.servlet.ServletHolder;
import org.eclipse.jetty.server.Server;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;

/**
 * Starts one HAPI FHIR R4 server on the loopback address, for tests.
 *
 * <p>System properties: {@code port} (8080), {@code db} (a JDBC address of H2; in memory unless given) and
 * {@code validate} (true: a resource that breaks FHIR is refused with 422, instead of being stored without what is
 * wrong in it), {@code withParent} (true: the server ends when its standard input does, so that it cannot outlive
 * tests that were killed).
 */
public final class TestServer {
    private TestServer() {}

    public static void main(String[] arguments) throws Exception {
        var context = new AnnotationConfigApplicationContext(Storage.class, Door.class);
        var handler = new ServletContextHandler();
        handler.setContextPath("/");
        handler.addServlet(new ServletHolder(context.getBean(RestfulServer.class)), "/fhir/*");

        int port = Integer.getInteger("port", 8080);
        var server = new Server(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        server.setHandler(handler);
        server.start();
        if (Boolean.getBoolean("withParent")) {
            var watch = new Thread(TestServer::endWithStandardInput, "end-with-parent");
            watch.setDaemon(true);
            watch.start();
        }
        System.out.println("ready on http://127.0.0.1:" + port + "/fhir");
        server.join();
    }

    private static void endWithStandardInput() {
        try {
            while (System.in.read() >= 0) {
                // Nothing is ever sent; only the end matters.
            }
        } catch (IOException broken) {
            // As good as the end.
        }
        Runtime.getRuntime().halt(0);
    }
}
