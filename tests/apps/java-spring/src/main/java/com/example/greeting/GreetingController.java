package com.example.greeting;

import java.util.Map;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

@RestController
class GreetingController {

    private static final String VERSION = "v1";

    private final String greeting;

    GreetingController(@Value("${GREETING:Hello}") String greeting) {
        this.greeting = greeting;
    }

    @GetMapping("/")
    Map<String, String> home() {
        return Map.of("name", "java-spring", "version", VERSION, "greeting", greeting);
    }
}
